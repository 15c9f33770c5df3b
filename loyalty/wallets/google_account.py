"""The platform's service account at Google: loaded once, checked at the start, signs save links offline."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SAVE_ADDRESS = "https://pay.google.com/gp/v/save/"
# Some phones cut longer links off.
LONGEST_TOKEN = 1800


class AccountError(Exception):
    """The file of the service account cannot be used; the text is one line for whoever starts the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """Who the platform is at Google; `info` is the file as it was read, for whoever asks for access tokens."""

    email: str
    key_id: str
    key: RSAPrivateKey = field(repr=False)
    info: Mapping[str, str] = field(repr=False)


def load_account(path: Path) -> ServiceAccount:
    """Read the file that Google's console gives out for a service account, or say in one line what is wrong."""
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AccountError(f"{path} is not a readable file of a service account: {error}.") from error
    if not isinstance(info, dict) or info.get("type") != "service_account":
        raise AccountError(f"{path} is not the key of a service account: its type is missing or another.")
    for name in ("client_email", "private_key", "private_key_id", "token_uri"):
        if not isinstance(info.get(name), str) or not info[name]:
            raise AccountError(f"{path} has no {name}: download a new key of the service account as JSON.")
    return ServiceAccount(
        email=info["client_email"], key_id=info["private_key_id"], key=_rsa_key(path, info["private_key"]), info=info
    )


def save_link(*, account: ServiceAccount, object_id: str, class_id: str, origin: str, at: datetime) -> str:
    """Sign the address behind the button "Add to Google Wallet".

    It names an object that exists at Google already, so it stays short and holds nothing personal. It is a bearer's
    paper without an end: make it when it is clicked, and never log it.
    """
    header = {"alg": "RS256", "typ": "JWT", "kid": account.key_id}
    claims = {
        "iss": account.email,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(at.timestamp()),
        "origins": [origin],
        "payload": {"loyaltyObjects": [{"id": object_id, "classId": class_id}]},
    }
    signed = f"{_segment(header)}.{_segment(claims)}"
    token = f"{signed}.{_base64(account.key.sign(signed.encode(), PKCS1v15(), SHA256()))}"
    if len(token) > LONGEST_TOKEN:
        raise ValueError(f"The save link has {len(token)} characters, and {LONGEST_TOKEN} are safe.")
    return f"{SAVE_ADDRESS}{token}"


def origin_of(public_url: str) -> str:
    """Return the origin of an address, as a save link names it."""
    parts = urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}"


def _rsa_key(path: Path, pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AccountError(f"{path} holds a private_key that cannot be read: {type(error).__name__}.") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise AccountError(f"{path} holds a private_key that is not an RSA key of at least 2048 bits.")
    return key


def _segment(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
