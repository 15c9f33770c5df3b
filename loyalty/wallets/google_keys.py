"""Google's root keys for callbacks: kept until they expire, fetched rarely, never on a stranger's command.

How they are fetched is handed in: an adapter over the network, or a file.
"""

import base64
import binascii
import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

PROTOCOL = "ECv2SigningOnly"
# The name of the thread that refreshes keys beside the requests.
REFRESHER = "google-root-keys"

# One forged callback must not cost one request to Google: at most one fetch in this time while there are keys.
_BETWEEN_FETCHES = timedelta(minutes=5)
# Without any key every callback is refused, so the next try comes sooner.
_BETWEEN_TRIES = timedelta(seconds=20)
_LEAST_AGE = timedelta(minutes=5)
_MOST_AGE = timedelta(days=7)
_MOST_KEYS = 20
_LONGEST_KEY = 1000

_log = logging.getLogger(__name__)


class KeysUnavailable(Exception):
    """There is no valid root key: nothing can be verified now, and whoever asked should ask again later."""


class KeySetError(ValueError):
    """This is not a set of root keys."""


@dataclass(frozen=True, slots=True)
class FetchedKeys:
    """A key set as it was published, and for how long it may be used without asking again."""

    body: bytes
    max_age: timedelta


@dataclass(frozen=True, slots=True)
class RootKey:
    """A key that signs Google's intermediate keys."""

    key: EllipticCurvePublicKey
    expires_at: datetime


@dataclass(slots=True)
class _Held:
    keys: tuple[RootKey, ...] = ()
    # From here on a refresh is worth its request; the keys themselves stay good until they expire.
    refresh_at: datetime = field(default=datetime.min.replace(tzinfo=UTC))


class RootKeys:
    """The root keys in force. Safe to share between threads; what was fetched survives a restart in `path`."""

    def __init__(self, fetch: Callable[[], FetchedKeys], path: Path | None = None) -> None:
        self._fetch = fetch
        self._path = path
        self._lock = threading.Lock()
        self._held = _Held()
        self._next_fetch_at = datetime.min.replace(tzinfo=UTC)
        self._read_path = path is not None

    def current(self, at: datetime) -> tuple[RootKey, ...]:
        """Return the keys that have not expired, at once where there are any; else fetch them or raise."""
        self._load()
        keys = self._valid(at)
        if not keys:
            with self._lock:
                # Whoever waited here may find that somebody else has fetched them.
                keys = self._valid(at) or self._refresh(at, _BETWEEN_TRIES)
            if not keys:
                raise KeysUnavailable("There is no valid root key of Google's.")
        elif at >= self._held.refresh_at and at >= self._next_fetch_at:
            self._refresh_beside(at)
        return keys

    def after_unknown_signer(self, at: datetime) -> tuple[RootKey, ...]:
        """Fetch once more, in case the roots have just changed; () where that was done in the last five minutes."""
        if at < self._next_fetch_at or not self._lock.acquire(blocking=False):
            return ()
        try:
            return self._refresh(at, _BETWEEN_FETCHES)
        finally:
            self._lock.release()

    def _valid(self, at: datetime) -> tuple[RootKey, ...]:
        return tuple(key for key in self._held.keys if key.expires_at > at)

    def _refresh_beside(self, at: datetime) -> None:
        """Fetch in a thread of its own: the keys at hand answer meanwhile."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            threading.Thread(target=self._refresh_and_release, args=(at,), name=REFRESHER, daemon=True).start()
        except RuntimeError:
            # No thread to be had: the next callback tries again.
            self._lock.release()

    def _refresh_and_release(self, at: datetime) -> None:
        try:
            self._refresh(at, _BETWEEN_FETCHES)
        finally:
            self._lock.release()

    def _refresh(self, at: datetime, pause: timedelta) -> tuple[RootKey, ...]:
        """Fetch the keys; () and the old ones kept where that fails. The lock is held."""
        if at < self._next_fetch_at:
            return ()
        self._next_fetch_at = at + pause
        try:
            fetched = self._fetch()
            keys = parse_root_keys(fetched.body)
        except Exception as error:  # Whatever the network or the file does, the keys at hand stay in force.
            _log.warning("Google's root keys were not refreshed: %s: %s", type(error).__name__, error)
            return ()
        # At half of its age, so that an outage at Google finds a fresh set.
        age = min(max(fetched.max_age, _LEAST_AGE), _MOST_AGE)
        self._held = _Held(keys, at + age / 2)
        self._next_fetch_at = at + _BETWEEN_FETCHES
        self._store(fetched.body)
        return self._valid(at)

    def _store(self, body: bytes) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._path.with_suffix(f".{threading.get_ident()}.draft")
            draft.write_bytes(body)
            draft.replace(self._path)
        except OSError as error:
            _log.warning("Google's root keys were not kept: %s", error)

    def _load(self) -> None:
        """Take up what an earlier process fetched; it is due for a refresh at once."""
        if not self._read_path or self._path is None:
            return
        with self._lock:
            if self._read_path:
                self._read_path = False
                with suppress(OSError, KeySetError):
                    self._held = _Held(parse_root_keys(self._path.read_bytes()))


def parse_root_keys(body: bytes) -> tuple[RootKey, ...]:
    """Read a published key set; entries of other protocols or without an expiry are not for us."""
    try:
        entries = json.loads(body.decode())["keys"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise KeySetError("This is not a set of root keys.") from error
    if not isinstance(entries, list) or len(entries) > _MOST_KEYS:
        raise KeySetError("A set of root keys is a short list.")
    found = (_read_entry(entry) for entry in entries)
    keys = tuple(key for key in found if key is not None)
    if not keys:
        raise KeySetError(f"No key of the set is for {PROTOCOL}.")
    return keys


def read_public_key(text: object) -> EllipticCurvePublicKey:
    """Read a key as Google writes it, base64 over DER, and refuse every curve but P-256 with a ValueError."""
    if not isinstance(text, str) or len(text) > _LONGEST_KEY:
        raise ValueError("A key is a short text.")
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, UnsupportedAlgorithm, TypeError, ValueError) as error:
        raise ValueError("This is not a public key.") from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("This is not a key of P-256.")
    return key


def read_time(value: object) -> datetime:
    """Read milliseconds since 1970, as a number or as a text of digits; refuse all else with a ValueError."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    if type(value) is not int or not 0 <= value < 10**14:
        raise ValueError("This is not a time in milliseconds.")
    return datetime.fromtimestamp(value // 1000, UTC) + timedelta(milliseconds=value % 1000)


def _read_entry(entry: object) -> RootKey | None:
    if not isinstance(entry, dict) or entry.get("protocolVersion") != PROTOCOL:
        return None
    with suppress(ValueError):
        return RootKey(read_public_key(entry.get("keyValue")), read_time(entry.get("keyExpiration")))
    return None
