"""Codes survive scanners, keyboards and people, and never name another card by a slip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain import codes
from loyalty.domain.values import CardRef

AZERTY = str.maketrans("1234567890", "&é\"'(-è_çà")

scan_codes = st.text(codes.SCAN_ALPHABET, min_size=15, max_size=15).map(
    lambda body: body + codes.scan_check_letter(body)
)
numbers = st.text("0123456789", min_size=9, max_size=9).map(lambda body: body + codes.number_check_digit(body))


def test_it_knows_the_published_example_of_damm() -> None:
    assert codes.number_check_digit("572") == "4"


def test_it_makes_codes_that_it_accepts_and_that_differ() -> None:
    made = {codes.make_scan_code() for _ in range(200)} | {codes.make_card_number() for _ in range(200)}
    assert len(made) == 400
    assert all(codes.is_scan_code(code) or codes.is_card_number(code) for code in made)


@given(numbers)
def test_it_catches_every_wrong_digit_and_every_swap_in_a_card_number(number: str) -> None:
    assert codes.is_card_number(number)
    for place, right in enumerate(number):
        wrong = [number[:place] + digit + number[place + 1 :] for digit in "0123456789" if digit != right]
        assert not any(codes.is_card_number(text) for text in wrong)
    for place in range(len(number) - 1):
        swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        assert swapped == number or not codes.is_card_number(swapped)


@given(scan_codes)
def test_it_catches_every_wrong_letter_in_a_scan_code(code: str) -> None:
    assert codes.is_scan_code(code)
    for place, right in enumerate(code):
        wrong = [code[:place] + letter + code[place + 1 :] for letter in codes.SCAN_ALPHABET if letter != right]
        assert not any(codes.is_scan_code(text) for text in wrong)


@given(scan_codes)
def test_it_reads_a_scan_code_with_caps_lock_spaces_and_line_ends(code: str) -> None:
    for typed in (
        code,
        code.lower(),
        code.swapcase(),
        f" {code}\r\n",
        f"{code}\t",
        f"{code[:4]} {code[4:8]}-{code[8:]}",
    ):
        assert codes.read_code(typed) == CardRef(scan_code=code)


@given(numbers)
def test_it_reads_a_card_number_in_groups_and_from_the_azerty_digit_row(number: str) -> None:
    shown = codes.format_card_number(number)
    assert shown.replace(" ", "") == number
    for typed in (number, shown, shown.replace(" ", "-"), shown.replace(" ", "\u00a0"), f"{number}\n"):
        assert codes.read_code(typed) == CardRef(card_number=number)
    for typed in (number.translate(AZERTY), number.translate(AZERTY).upper(), shown.translate(AZERTY)):
        assert codes.read_code(typed) == CardRef(card_number=number)


def test_it_reads_the_belgian_digit_row_and_digits_of_full_width() -> None:
    body = "123456809"
    number = body + codes.number_check_digit(body)
    belgian = number.translate(str.maketrans("1234567890", "&é\"'(§è!çà"))
    assert codes.read_code(belgian) == CardRef(card_number=number)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    assert codes.read_code(wide) == CardRef(card_number=number)


def test_it_shows_a_card_number_in_groups_of_four_three_and_three() -> None:
    assert codes.format_card_number("4812037756") == "4812 037 756"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-",
        "Cleo",
        "cleo@example.org",
        "+352 621 123 456",
        "https://shop.example/card/0123456789abcdefghijkl",
        "B" * 15,
        "B" * 17,
        "A" * 16,
        "٣" * 10,
        "²" * 10,
        "0" * 9,
        "0" * 11,
        "x" * 100_000,
    ],
)
def test_it_takes_nothing_else_for_a_code(text: str) -> None:
    assert codes.read_code(text) is None


@given(st.text(max_size=40))
def test_it_reads_any_text_without_failing(text: str) -> None:
    found = codes.read_code(text)
    assert found is None or codes.is_scan_code(found.scan_code or "") or codes.is_card_number(found.card_number or "")


def test_it_finds_the_token_in_an_old_card_address() -> None:
    token = "aB3_-6789abcdefghijklm"
    for address in (f"https://shop.example/card/{token}", f" /card/{token}?lang=fr\n", f"http://x/card/{token}/"):
        assert codes.find_card_token(address) == token
    for text in (token, "/card/short", f"/cards/{token}", f"/card/{token}!", ""):
        assert codes.find_card_token(text) is None


def test_it_reads_a_pairing_code_as_people_type_it() -> None:
    code = codes.make_pairing_code()
    assert len(code) == 8
    shown = codes.format_pairing_code(code)
    for typed in (code, shown, shown.lower(), f" {shown} \r\n", code.replace("0", "O").replace("1", "l")):
        assert codes.read_pairing_code(typed) == code
    assert codes.read_pairing_code("oil0-ABCD") == "0110ABCD"
    for text in ("", "ABCD", "ABCD-EFGHJ", "ABCD-EFGU", "\u0663" * 8, "x" * 10_000):
        assert codes.read_pairing_code(text) is None
