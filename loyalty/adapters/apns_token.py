"""The proof that stands in for a certificate at Apple's push service: a signed statement that lasts an hour."""

import json
import threading
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# Apple refuses one older than an hour, and more than one new one in twenty minutes.
_AGE = timedelta(minutes=50)
_LEAST_AGE = timedelta(minutes=20)


class ApnsKeyError(Exception):
    """The key cannot be used; the text is one line."""


class ProviderToken:
    """Signs with one key, and keeps each statement for as long as Apple wants it kept. Threads may share it."""

    def __init__(self, *, key_file: Path, key_id: str, team_id: str) -> None:
        """Read the key, or raise ApnsKeyError."""
        try:
            key = load_pem_private_key(key_file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise ApnsKeyError(f"{key_file} holds no private key as Apple hands them out (.p8).") from error
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise ApnsKeyError(f"{key_file} is not a key for pushes: those are of the curve P-256.")
        self._key = key
        self._key_id, self._team_id = key_id, team_id
        self._lock = threading.Lock()
        self._made_at: datetime | None = None
        self._token = ""
        self._refused = False

    def current(self, at: datetime) -> str:
        """Return the statement to send now."""
        with self._lock:
            age = at - self._made_at if self._made_at else _AGE
            if age >= _AGE or age < -_LEAST_AGE or (self._refused and age >= _LEAST_AGE):
                self._token, self._made_at, self._refused = self._sign(at), at, False
            return self._token

    def renew(self) -> None:
        """Note that Apple finds the statement too old; another is made as soon as Apple allows it."""
        with self._lock:
            self._refused = True

    def _sign(self, at: datetime) -> str:
        header = {"alg": "ES256", "kid": self._key_id}
        claims = {"iss": self._team_id, "iat": int(at.timestamp())}
        signed = ".".join(_encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        first, second = decode_dss_signature(self._key.sign(signed.encode(), ECDSA(SHA256())))
        return f"{signed}.{_encode(first.to_bytes(32) + second.to_bytes(32))}"


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
