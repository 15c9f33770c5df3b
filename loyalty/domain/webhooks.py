"""Webhooks: which events there are, where a message may go, and how it is signed.

Signed as the specification of Standard Webhooks says, so that its libraries verify what we send.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from loyalty.domain import bounds
from loyalty.domain.settings import SettingError
from loyalty.errors import N_

EVENTS: Final = (
    "card.created",
    "card.installed",
    "card.removed",
    "transaction.created",
    "reward.ready",
    "points.expiring",
    "customer.erased",
)
# What the owner sends by a button; no endpoint has to ask for it.
TEST_EVENT: Final = "test"
# What every secret begins with.
SIGNING_PREFIX: Final = "whsec_"
HTTPS_PORT: Final = 443

# Global unicast, and what of it leads somewhere else: tunnels that carry an IPv4 address, and documentation.
_UNICAST = IPv6Network("2000::/3")
_NOT_UNICAST = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# The former way into 6to4, and what protocols keep for themselves.
_NOT_HOSTS = ("192.88.99.", "192.0.0.")
_UNSENDABLE = re.compile(r"[\s<>\"'\\^`{|}\x00-\x1f\x7f]")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes: the host as certificates name it, and the path with its query."""

    host: str
    port: int
    path: str
    encrypted: bool

    @property
    def place(self) -> str:
        """Host and port, as the list of allowed private places names them."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of sending a message once; without a status nobody answered, and `error` says why."""

    status: int | None
    duration_ms: int
    text: str = ""
    error: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the receiver took the message; an address that leads elsewhere did not."""
        return self.status is not None and 200 <= self.status < 300


def parse_url(url: object, *, allowed: Collection[str]) -> Target:
    """Read the address of an endpoint: https on its usual port, or a place that is allowed by name."""
    text = str(url or "").strip()
    if len(text) > bounds.URL_LENGTH:
        raise SettingError(N_("Use at most %(longest)s characters."), longest=bounds.URL_LENGTH)
    target = _target(text)
    if target is None or (not target.encrypted and target.place not in allowed):
        raise SettingError(N_("Enter a web address that starts with https://."))
    if target.place in allowed:
        return target
    if target.port != HTTPS_PORT:
        raise SettingError(N_("Use an address without a port: messages go to port 443 only."))
    if _is_private_name(target.host):
        raise SettingError(N_("Use an address that everybody on the internet can reach."))
    return target


def check_events(value: object) -> list[str]:
    """Return the chosen kinds of events in their usual order, or refuse none and unknown ones."""
    chosen = set(value) if isinstance(value, list | tuple | set) else set()
    if not chosen or not chosen <= set(EVENTS):
        raise SettingError(N_("Choose at least one event of the list."))
    return [event for event in EVENTS if event in chosen]


def is_public(address: str) -> bool:
    """Say whether an IP address is one host of the public internet and nothing else under its name."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return _is_public_v6(found) if isinstance(found, IPv6Address) else _is_public_v4(found)


def make_secret() -> str:
    """Make the secret that an endpoint's messages are signed with."""
    return SIGNING_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(*, secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one signature of a message: version 1, HMAC-SHA256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix(SIGNING_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(*, keys: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove where a message comes from; while two secrets live, with both signatures."""
    signatures = [sign(secret=key, message_id=message_id, timestamp=timestamp, body=body) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def write_body(event: Mapping[str, Any]) -> bytes:  # JSON values
    """Write an event as it is sent: the same bytes each time."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _target(text: str) -> Target | None:
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError:
        return None
    encrypted = parts.scheme == "https"
    plain = text.isascii() and not _UNSENDABLE.search(text) and "@" not in parts.netloc and port != 0
    if not plain or parts.scheme not in ("https", "http") or not (_HOST.fullmatch(host) or _is_v6(host)):
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port or (HTTPS_PORT if encrypted else 80), path, encrypted)


def _is_v6(host: str) -> bool:
    try:
        return isinstance(ip_address(host), IPv6Address) and "%" not in host
    except ValueError:
        return False


def _is_private_name(host: str) -> bool:
    """Refuse early what can never be reached; what a name leads to is looked at when the message leaves."""
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".home.arpa"))


def _is_public_v4(address: IPv4Address) -> bool:
    # 224.0.0.1 counts as global in Python, and 100.64.0.1 neither as private nor as global.
    special = address.is_multicast or address.is_reserved or str(address).startswith(_NOT_HOSTS)
    return address.is_global and not special


def _is_public_v6(address: IPv6Address) -> bool:
    # Whatever carries an IPv4 address (mapped, 6to4, Teredo, NAT64) lies outside or is named.
    usual = address in _UNICAST and not any(address in network for network in _NOT_UNICAST)
    return usual and address.is_global and address.scope_id is None
