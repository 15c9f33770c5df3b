"""Passwords: what bcrypt costs, and that nobody and somebody cost the same."""

import bcrypt

from loyalty.domain import passwords
from loyalty.domain.passwords import hash_password, password_matches


def test_it_hashes_at_cost_twelve() -> None:
    hashed = hash_password("flour and water 1907")
    assert hashed.startswith("$2b$12$")
    assert password_matches("flour and water 1907", hashed)
    assert not password_matches("flour and water 1908", hashed)


def test_it_compares_with_a_hash_of_the_same_cost_where_there_is_nobody() -> None:
    assert passwords._NOBODY.startswith(b"$2b$12$")
    assert not password_matches("nobody has this password", None)


def test_it_cuts_no_password() -> None:
    hashed = bcrypt.hashpw(b"a" * 72, bcrypt.gensalt(4)).decode()
    assert password_matches("a" * 72, hashed)
    assert not password_matches("a" * 73, hashed)


def test_it_takes_any_text_that_can_be_typed() -> None:
    assert not password_matches("\ud800 \x00 ☕", bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode())
