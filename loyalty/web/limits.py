"""How often one source may ask, per minute: counted in Redis, in the process while Redis is away.

PINs and sign-ins are counted in the database instead, since these limits open when a process starts anew.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address

import redis
from flask import Flask, Response, request
from flask_limiter import Limiter

from loyalty.web.access import find_actor

limiter = Limiter(
    key_func=lambda: source(),
    strategy="sliding-window-counter",
    in_memory_fallback_enabled=True,
    swallow_errors=True,
)
limit, limit_together = limiter.limit, limiter.shared_limit
# Two doors to one room: the join page and the API's enrolment count as one.
JOINING = "joining"


@dataclass(frozen=True, slots=True)
class _Left:
    """How many requests a limit allows, how many of them are left, and when all are there again."""

    most: int
    requests: int
    ends_at: datetime


def init(app: Flask) -> None:
    """Count from now on."""
    limiter.init_app(app)


def source() -> str:
    """Return who asks: a terminal, a user, else an address (of IPv6 the first 64 bits)."""
    actor = find_actor()
    if actor is not None:
        return actor.caller
    return address_source()


def address_source() -> str:
    """Return the address a request comes from, as counters know it."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return "ip:unknown"
    if isinstance(address, IPv6Address):
        return f"ip:{IPv6Address(int(address) >> 64 << 64)}/64"
    return f"ip:{address}"


def ends_at() -> datetime:
    """Return when the limit that was just met opens again."""
    left = _left()
    return left.ends_at if left else datetime.now(UTC) + timedelta(minutes=1)


def add_headers(response: Response) -> Response:
    """Tell a program what is left of the limit that it was counted against."""
    left = _left()
    if left is not None:
        response.headers["RateLimit-Limit"] = str(left.most)
        response.headers["RateLimit-Remaining"] = str(left.requests)
        seconds = max(0, round((left.ends_at - datetime.now(UTC)).total_seconds()))
        response.headers["RateLimit-Reset"] = str(seconds)
    return response


def _left() -> _Left | None:
    """Read what is left of the limit of this request, None where none counts or Redis died since it was counted.

    By then the request is done: it must not fail because of what it says about the next one.
    """
    current = limiter.current_limit
    if current is not None:
        with suppress(redis.RedisError):
            return _Left(current.limit.amount, current.remaining, datetime.fromtimestamp(current.reset_at, UTC))
    return None


__all__ = [
    "JOINING",
    "add_headers",
    "address_source",
    "ends_at",
    "init",
    "limit",
    "limit_together",
    "limiter",
    "source",
]
