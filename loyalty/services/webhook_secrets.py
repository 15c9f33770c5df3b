"""The secrets of webhooks: kept encrypted with a key of SECRET_KEY, for signing needs them as they are."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken

_box: Fernet | None = None


class SecretUnreadable(Exception):
    """A secret was encrypted under another SECRET_KEY."""


def configure(*, secret_key: str) -> None:
    """Receive the platform's key."""
    global _box
    _box = Fernet(base64.urlsafe_b64encode(hmac.digest(secret_key.encode(), b"webhook secrets", hashlib.sha256)))


def seal(secret: str) -> str:
    """Encrypt a secret for the database."""
    return _configured().encrypt(secret.encode()).decode()


def open_sealed(sealed: str) -> str:
    """Decrypt a secret, or raise SecretUnreadable."""
    try:
        return _configured().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable("the secret cannot be read: SECRET_KEY is another one now") from error


def _configured() -> Fernet:
    if _box is None:
        raise RuntimeError("webhook secrets are not configured")
    return _box
