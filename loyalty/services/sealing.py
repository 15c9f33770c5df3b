"""What is kept encrypted because it is needed as it was: one key of SECRET_KEY for each purpose."""

import base64
import hashlib
import hmac
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

# Texts that the keys are derived with: another word here makes unreadable what is kept.
WEBHOOKS: Final = "webhook secrets"
SECOND_FACTORS: Final = "second factors"
SIGN_INS: Final = "sign-ins"

_secret_key = b""


class SecretUnreadable(Exception):
    """A secret was encrypted under another SECRET_KEY, for another purpose, or not by us."""


def configure(*, secret_key: str) -> None:
    """Receive the platform's key."""
    global _secret_key
    _secret_key = secret_key.encode()


def seal(secret: str, *, purpose: str) -> str:
    """Encrypt a secret."""
    return _box(purpose).encrypt(secret.encode()).decode()


def open_sealed(sealed: str, *, purpose: str) -> str:
    """Decrypt a secret, or raise SecretUnreadable."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable("the secret cannot be read: SECRET_KEY is another one now") from error


def digest(text: str, *, purpose: str) -> str:
    """Return what stands for a short secret where it is only compared."""
    return hmac.new(_derived(purpose), text.encode(), hashlib.sha256).hexdigest()


def _box(purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(purpose)))


def _derived(purpose: str) -> bytes:
    if not _secret_key:
        raise RuntimeError("sealing is not configured")
    return hmac.digest(_secret_key, purpose.encode(), hashlib.sha256)
