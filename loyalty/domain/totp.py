"""Codes of a second factor: six digits that change every 30 seconds (RFC 6238), and those for a lost phone."""

import secrets
from datetime import datetime
from typing import Final

import pyotp

SECONDS: Final = 30
# A clock that is wrong by so many steps is forgiven, before and after.
FORGIVEN: Final = 1
RECOVERY_CODES: Final = 10
# No letters that look like digits; 32 of them, so ten are 50 random bits.
_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_RECOVERY_LENGTH: Final = 10


def new_secret() -> str:
    """Make the secret that a phone and the platform share: 160 bits in base 32."""
    return pyotp.random_base32()


def enrolment_address(secret: str, *, email: str) -> str:
    """Return what the QR code says to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Loyalty")


def matching_step(secret: str, code: str, *, at: datetime, after: int | None) -> int | None:
    """Return the step of time whose code was typed, None for a wrong one and for one of `after` or before it."""
    typed = plain(code)
    if len(typed) != 6 or not (typed.isascii() and typed.isdigit()):
        return None
    now, found = int(at.timestamp()) // SECONDS, None
    # All of them, whichever fits: the time that it takes tells nothing.
    for step in range(now - FORGIVEN, now + FORGIVEN + 1):
        if secrets.compare_digest(pyotp.TOTP(secret).generate_otp(step), typed) and (after is None or step > after):
            found = step
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Make the codes that open once each, as they are shown: two groups of five."""
    drawn = ["".join(secrets.choice(_LETTERS) for _ in range(_RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    return tuple(f"{code[:5]}-{code[5:]}" for code in drawn)


def plain(code: str) -> str:
    """Return a code as it is compared: without spaces and hyphens, letters that look like digits read as those."""
    bare = "".join(code.split()).replace("-", "").lower()
    return bare.translate(str.maketrans("oil", "011"))[:64]
