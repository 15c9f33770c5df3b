"""Staff PINs: how they are made, and the one slow digest by which they are stored and found."""

import base64
import hashlib
import hmac
import itertools
import secrets
from uuid import UUID

import bcrypt

COST = 10
FEWEST_DIFFERENT_DIGITS = 3


def make_pin(length: int) -> str:
    """Make a random PIN of so many digits that nobody would guess first."""
    while True:
        pin = f"{secrets.randbelow(10**length):0{length}d}"
        if not is_weak(pin):
            return pin


def is_weak(pin: str) -> bool:
    """Whether a PIN is one of those that are guessed first: repeats, runs of digits, years."""
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    is_run = steps in ({1}, {9})
    has_year = any(part[:2] in ("19", "20") for part in (pin[:4], pin[-4:]))
    half = len(pin) // 2
    return is_run or has_year or len(set(pin)) < FEWEST_DIFFERENT_DIGITS or pin[:half] == pin[half:]


def make_salt() -> bytes:
    """Make the salt of a vendor, which carries the cost of all its PINs' digests."""
    return bcrypt.gensalt(COST)


def pin_digest(pepper: bytes, vendor_id: UUID, salt: bytes, pin: str) -> str:
    """Return bcrypt(base64(HMAC-SHA-384(pepper, "pin" | vendor | pin)), the vendor's salt).

    Slow on purpose. The salt belongs to the vendor, so a PIN is found by equality however many there are.
    """
    mac = hmac.new(pepper, b"pin" + vendor_id.bytes + pin.encode(), hashlib.sha384)
    # 64 characters: within bcrypt's 72 bytes, and without the NUL that a raw MAC could hold.
    return bcrypt.hashpw(base64.b64encode(mac.digest()), salt).decode()


def is_same(digest: str, other: str) -> bool:
    """Whether two digests are equal, in constant time."""
    return hmac.compare_digest(digest.encode(), other.encode())


def is_needed(staff_pin_policy: str, require_staff_pin: bool) -> bool:
    """Whether the till asks for PINs: the platform's admin decides, or leaves it to the program."""
    return staff_pin_policy == "required" or (staff_pin_policy == "optional" and require_staff_pin)
