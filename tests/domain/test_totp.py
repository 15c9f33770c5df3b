"""Codes of a second factor: as RFC 6238 says, each step once, and recovery codes that people can type."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.domain import totp

# The secret of the RFC's own examples, and one of its times: the six digits are the last ones of its eight.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
AT = datetime.fromtimestamp(1111111109, UTC)
STEP = 1111111109 // 30
CODE = "081804"


def test_it_takes_the_code_of_the_standard() -> None:
    assert totp.matching_step(SECRET, CODE, at=AT, after=None) == STEP


@pytest.mark.parametrize("typed", ["081 804", " 081804 ", "081-804"])
def test_it_takes_a_code_as_people_type_it(typed: str) -> None:
    assert totp.matching_step(SECRET, typed, at=AT, after=None) == STEP


@pytest.mark.parametrize("typed", ["", "081805", "81804", "0818044", "٠٨١٨٠٤", "x" * 10_000, "-" * 100])
def test_it_takes_no_other(typed: str) -> None:
    assert totp.matching_step(SECRET, typed, at=AT, after=None) is None


@pytest.mark.parametrize(("seconds", "fits"), [(-60, False), (-30, True), (0, True), (30, True), (61, False)])
def test_it_forgives_a_clock_that_is_a_step_wrong(seconds: int, fits: bool) -> None:
    found = totp.matching_step(SECRET, CODE, at=AT + timedelta(seconds=seconds), after=None)
    assert (found == STEP) is fits


def test_it_takes_no_step_twice_and_none_before_it() -> None:
    assert totp.matching_step(SECRET, CODE, at=AT, after=STEP) is None
    assert totp.matching_step(SECRET, CODE, at=AT, after=STEP + 1) is None
    assert totp.matching_step(SECRET, CODE, at=AT, after=STEP - 1) == STEP


def test_it_makes_ten_recovery_codes_that_read_well() -> None:
    codes = totp.new_recovery_codes()
    assert len({totp.plain(code) for code in codes}) == 10
    assert all(len(code) == 11 and not set(code) & set("oiluOIL ") - {"u"} for code in codes)
    assert totp.plain(" 0ABCD-EFGHO ") == totp.plain("0abcdefgh0")


def test_it_names_the_account_to_the_app() -> None:
    address = totp.enrolment_address(SECRET, email="ada@bakery.example")
    assert address == f"otpauth://totp/Loyalty:ada%40bakery.example?secret={SECRET}&issuer=Loyalty"
