"""What is kept of a join form."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain import lines
from loyalty.domain.joining import Applicant, JoinForm, Questions, check
from loyalty.errors import ValidationError

TODAY = date(2026, 11, 20)
BY_EMAIL = Questions(contact_field="email", country="LU")
BY_PHONE = Questions(contact_field="phone", country="LU")
EVERYTHING = Questions(contact_field="email", country="LU", ask_name=True, ask_birthday=True, ask_marketing=True)


def errors(form: JoinForm, questions: Questions = EVERYTHING) -> list[str]:
    with pytest.raises(ValidationError) as refusal:
        check(form, questions, TODAY)
    return sorted(refusal.value.errors)


def test_it_keeps_addresses_in_their_stored_form() -> None:
    kept = check(JoinForm(email=" Cleo@Example.ORG ", phone="621 123 456"), BY_EMAIL, TODAY)
    assert (kept.email, kept.phone) == ("cleo@example.org", "+352621123456")


def test_it_keeps_a_name_in_the_letters_in_which_it_is_searched() -> None:
    kept = check(JoinForm(email="zoe@example.org", name=" Zoe\u0301  Weber "), EVERYTHING, TODAY)
    assert kept.name == "Zo\u00e9 Weber"


def test_it_asks_for_the_address_that_identifies() -> None:
    assert errors(JoinForm(), BY_EMAIL) == ["email"]
    assert errors(JoinForm(email="cleo@example.org"), BY_PHONE) == ["phone"]
    assert check(JoinForm(phone="621 123 456"), BY_PHONE, TODAY).email is None


def test_it_names_all_fields_that_are_wrong() -> None:
    form = JoinForm(email="x", phone="1", name="x" * 121, birth_date=date(2027, 1, 1), accept_terms=False)
    assert errors(form) == ["accept_terms", "birth_date", "email", "name", "phone"]


def test_it_forgets_what_the_shop_does_not_ask() -> None:
    form = JoinForm(email="cleo@example.org", name="Cleo", birth_date=date(1990, 3, 24), marketing_consent=True)
    kept = check(form, BY_EMAIL, TODAY)
    assert (kept.name, kept.birth_date, kept.marketing_consent) == (None, None, False)


@pytest.mark.parametrize("born", [date(1896, 12, 31), date(2026, 11, 21), date(1, 1, 1)])
def test_it_doubts_impossible_birthdays(born: date) -> None:
    assert errors(JoinForm(email="cleo@example.org", birth_date=born)) == ["birth_date"]


@given(st.emails() | st.text(max_size=60), st.just("") | st.text(max_size=40), st.text(max_size=150), st.dates())
def test_it_keeps_or_refuses_whatever_is_typed(email: str, phone: str, name: str, born: date) -> None:
    form = JoinForm(email=email, phone=phone, name=name, birth_date=born)
    kept = _kept(form)
    if kept is not None:
        assert kept.email is not None
        assert kept.email == kept.email.lower().strip()
        assert kept.name is None or (lines.is_name(kept.name) and lines.is_visible(kept.name))


def _kept(form: JoinForm) -> Applicant | None:
    try:
        return check(form, EVERYTHING, TODAY)
    except ValidationError:
        return None
