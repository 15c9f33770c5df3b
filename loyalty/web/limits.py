"""How often one source may ask, per minute: counted in Redis, in the process while Redis is away.

PINs and sign-ins are counted in the database instead, since these limits open when a process starts anew.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address

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
    current = limiter.current_limit
    if current is None:
        return datetime.now(UTC) + timedelta(minutes=1)
    return datetime.fromtimestamp(current.reset_at, UTC)


def add_headers(response: Response) -> Response:
    """Tell a program what is left of the limit that it was counted against."""
    current = limiter.current_limit
    if current is not None:
        response.headers["RateLimit-Limit"] = str(current.limit.amount)
        response.headers["RateLimit-Remaining"] = str(current.remaining)
        seconds = max(0, round(current.reset_at - datetime.now(UTC).timestamp()))
        response.headers["RateLimit-Reset"] = str(seconds)
    return response


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
