"""PINs are hard to guess first, and worth nothing without the pepper."""

import base64
import hashlib
import hmac
from uuid import UUID

import bcrypt
import pytest

from loyalty.domain import pins

VENDOR = UUID(int=1)
PEPPER = b"p" * 32
# The cheapest salt that bcrypt takes: these tests ask what is hashed, not how slowly.
SALT = bcrypt.gensalt(4)
GUESSED_FIRST = (
    *("0000", "1111", "1234", "4321", "0987", "8901", "1212", "1122", "1984", "2007"),
    *("123456", "987654", "112211", "123123", "198412", "122007"),
)


@pytest.mark.parametrize("length", [4, 6])
def test_it_makes_no_pin_that_is_guessed_first(length: int) -> None:
    made = [pins.make_pin(length) for _ in range(1000)]
    assert all(len(pin) == length and pin.isdigit() and not pins.is_weak(pin) for pin in made)
    assert len(set(made)) > 800


@pytest.mark.parametrize(
    "pin",
    GUESSED_FIRST,
)
def test_it_knows_what_is_guessed_first(pin: str) -> None:
    assert pins.is_weak(pin)


@pytest.mark.parametrize("pin", ["4812", "7305", "481203", "583091"])
def test_it_leaves_the_others(pin: str) -> None:
    assert not pins.is_weak(pin)


def test_it_hashes_exactly_what_the_design_says() -> None:
    mac = hmac.new(PEPPER, b"pin" + VENDOR.bytes + b"481203", hashlib.sha384).digest()
    expected = bcrypt.hashpw(base64.b64encode(mac), SALT).decode()
    assert pins.pin_digest(PEPPER, VENDOR, SALT, "481203") == expected


def test_it_gives_other_digests_for_another_pin_vendor_pepper_or_salt() -> None:
    digests = {
        pins.pin_digest(PEPPER, VENDOR, SALT, "481203"),
        pins.pin_digest(PEPPER, VENDOR, SALT, "481204"),
        pins.pin_digest(PEPPER, UUID(int=2), SALT, "481203"),
        pins.pin_digest(b"q" * 32, VENDOR, SALT, "481203"),
        pins.pin_digest(PEPPER, VENDOR, bcrypt.gensalt(4), "481203"),
    }
    assert len(digests) == 5


def test_it_makes_slow_salts_and_compares_digests() -> None:
    assert pins.make_salt().startswith(b"$2b$10$")
    assert pins.is_same("abc", "abc")
    assert not pins.is_same("abc", "abd")


def test_it_lets_the_program_decide_where_the_policy_leaves_it_open() -> None:
    policies = ("required", "optional", "disabled")
    assert [pins.is_needed(policy, True) for policy in policies] == [True, True, False]
    assert [pins.is_needed(policy, False) for policy in policies] == [True, False, False]
