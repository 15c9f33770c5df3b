"""Customers whom staff or software make a card for."""

from datetime import date

import pytest

from loyalty.errors import (
    ProgramInactive,
)
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.services import enrolment
from loyalty.services.enrolment import JoinForm
from tests.factories import change_policy, change_program, make_card, make_key, make_shop
from tests.services.joining import NOW, kinds, rows

pytestmark = pytest.mark.usefixtures("context")


def test_it_enrols_at_the_counter_with_any_address_or_none() -> None:
    shop = make_shop()
    for form in (JoinForm(), JoinForm(phone="621 123 456"), JoinForm(email="cleo@example.org")):
        enrolled = enrolment.enrol_at_counter(actor=shop.ben, form=form, key=make_key(shop.ben, asked=form))
        assert enrolled.created
    assert len(rows(LoyaltyCard)) == 3
    assert {card.enrolled_at_store_id for card in rows(LoyaltyCard)} == {shop.store_id}
    assert kinds() == ["enrollment"]


@pytest.mark.parametrize("form", [JoinForm(email="cleo@example.org"), JoinForm(phone="621 123 456")])
def test_it_finds_the_card_of_a_known_customer_at_the_counter(form: JoinForm) -> None:
    shop = make_shop()
    card = make_card(shop, email="cleo@example.org", phone="+352621123456")
    enrolled = enrolment.enrol_at_counter(actor=shop.ben, form=form, key=make_key(shop.ben))
    assert (enrolled.card_id, enrolled.created) == (card.card_id, False)
    assert kinds() == []


def test_it_keeps_all_that_staff_type_whatever_the_shops_page_asks() -> None:
    shop = make_shop()
    form = JoinForm(name="Cleo Martin", birth_date=date(1990, 3, 24), marketing_consent=True)
    enrolment.enrol_at_counter(actor=shop.ben, form=form, key=make_key(shop.ben), locale="lb")
    enrolment.enrol_at_counter(actor=shop.ben, form=JoinForm(), key=make_key(shop.ben))
    cleo, nobody = rows(Customer)
    assert (cleo.name, cleo.birth_date, cleo.marketing_consent, cleo.locale) == (form.name, form.birth_date, True, "lb")
    assert (nobody.name, nobody.birth_date, nobody.marketing_consent, nobody.locale) == (None, None, False, "en")


def test_it_keeps_what_software_sends_unasked_only_where_it_may() -> None:
    shop = make_shop(vendor={"locale": "de"})
    for email, unasked in (("a@example.org", False), ("b@example.org", True)):
        form = JoinForm(email=email, name="Cleo Martin")
        enrolment.join(
            vendor_code=shop.code,
            store_code=None,
            form=form,
            locale=None,
            key=make_key(asked=form),
            at=NOW,
            unasked=unasked,
        )
    assert [(person.name, person.locale) for person in rows(Customer)] == [(None, "de"), ("Cleo Martin", "de")]


def test_it_enrols_once_when_the_cashier_taps_twice() -> None:
    shop, key = make_shop(), make_key(make_shop("cafe").ben)
    first = enrolment.enrol_at_counter(actor=shop.ben, form=JoinForm(), key=key)
    second = enrolment.enrol_at_counter(actor=shop.ben, form=JoinForm(), key=key)
    assert (second.card_id, second.replayed) == (first.card_id, True)
    assert len(rows(LoyaltyCard)) == 1


def test_it_enrols_at_the_counter_also_where_nobody_joins_alone() -> None:
    shop = make_shop()
    change_policy(shop, allow_self_enrollment=False)
    assert enrolment.enrol_at_counter(actor=shop.ben, form=JoinForm(), key=make_key(shop.ben)).created
    change_program(shop, is_active=False)
    with pytest.raises(ProgramInactive):
        enrolment.enrol_at_counter(actor=shop.ben, form=JoinForm(), key=make_key(shop.ben))
