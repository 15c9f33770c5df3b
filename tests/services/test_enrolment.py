"""Joining: who gets a card, who gets a mail, and what is kept of what they typed."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.errors import (
    LoyaltyError,
    NotFound,
    ProgramInactive,
    SelfEnrollmentDisabled,
    ValidationError,
    VendorSuspended,
)
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import enrolment
from loyalty.services.enrolment import Joined, JoinForm
from tests.factories import make_card, make_shop
from tests.services.joining import NOW, join, kinds, rows

pytestmark = pytest.mark.usefixtures("context")


def ledger() -> list[tuple[str, int, int]]:
    with transaction():
        columns = (LoyaltyTransaction.transaction_type, LoyaltyTransaction.seq, LoyaltyTransaction.stamps_delta)
        query = sa.select(*columns).order_by(LoyaltyTransaction.seq)
        return [(row[0], row[1], row[2]) for row in db.session.execute(query)]


def test_it_makes_a_card_for_a_new_address_and_mails_the_link() -> None:
    shop = make_shop(welcome_stamps=2)
    joined = join(shop, store="main")
    (card,), (cleo,), mails = rows(LoyaltyCard), rows(Customer), rows(EmailLog)
    mail, _ = sorted(mails, key=lambda mail: mail.kind)
    assert (joined.state, joined.public_token) == ("created", card.public_token)
    assert (cleo.email, cleo.locale, cleo.terms_accepted_at) == ("cleo@example.org", "fr", NOW)
    assert cleo.terms_version
    assert (card.stamp_count, card.enrolled_at_store_id) == (2, shop.store_id)
    assert ledger() == [("card_created", 1, 0), ("welcome_bonus", 2, 2)]
    assert (mail.kind, mail.recipient, mail.locale, mail.card_id) == (
        "enrollment",
        "cleo@example.org",
        "fr",
        card.id,
    )


def test_it_answers_a_second_tap_like_the_first() -> None:
    shop = make_shop()
    first = join(shop, key="one-key-for-both-taps")
    second = join(shop, key="one-key-for-both-taps")
    assert second.replayed
    assert second.public_token == first.public_token
    assert len(rows(LoyaltyCard)) == len(rows(EmailLog)) == 1


def test_it_takes_the_same_key_with_another_form_as_another_request() -> None:
    shop = make_shop()
    join(shop, key="a-key-that-somebody-saw")
    other = join(shop, JoinForm(email="mallory@example.org"), key="a-key-that-somebody-saw")
    assert not other.replayed
    assert len(rows(LoyaltyCard)) == 2


def test_it_mails_the_link_to_a_known_address_and_shows_no_card() -> None:
    shop = make_shop()
    card = make_card(shop, email="cleo@example.org", locale="de")
    joined = join(shop)
    assert joined == Joined(state="neutral", vendor_code=shop.code)
    (mail,) = rows(EmailLog)
    assert (mail.kind, mail.locale, mail.card_id) == ("card_link", "de", card.card_id)
    assert len(rows(LoyaltyCard)) == 1


def test_it_says_the_same_to_the_owner_of_a_deactivated_card() -> None:
    shop = make_shop()
    card = make_card(shop, email="cleo@example.org")
    with transaction():
        db.session.execute(sa.update(LoyaltyCard).where(LoyaltyCard.id == card.card_id).values(is_active=False))
    assert join(shop) == Joined(state="neutral", vendor_code=shop.code)
    assert len(rows(LoyaltyCard)) == 1


def test_it_sends_three_mails_to_an_address_in_a_day_however_often_it_is_typed() -> None:
    shop = make_shop()
    answers = {join(shop, at=NOW + timedelta(minutes=minute)).state for minute in range(10)}
    assert answers == {"created", "neutral"}
    assert kinds() == ["card_link", "card_link", "enrollment"]
    join(shop, at=NOW + timedelta(days=1, minutes=1))
    assert kinds() == ["card_link", "card_link", "card_link", "enrollment"]


def test_it_knows_customers_of_its_own_shop_only() -> None:
    make_card(make_shop("cafe"), email="cleo@example.org")
    assert join(make_shop()).state == "created"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (JoinForm(), "email"),
        (JoinForm(email="cleo"), "email"),
        (JoinForm(email="cleo@example.org", accept_terms=False), "accept_terms"),
        (JoinForm(email="cleo@example.org", name="x" * 121), "name"),
        (JoinForm(email="cleo@example.org", birth_date=date(2030, 1, 1)), "birth_date"),
    ],
)
def test_it_names_the_field_that_is_wrong_and_keeps_nothing(form: JoinForm, field: str) -> None:
    shop = make_shop(vendor={"ask_name": True, "ask_birthday": True})
    with pytest.raises(ValidationError) as refusal:
        join(shop, form)
    assert list(refusal.value.errors) == [field]
    assert rows(Customer) == []


def test_it_keeps_name_birthday_and_consent_where_the_shop_asks() -> None:
    form = JoinForm(
        email="cleo@example.org", name=" Cleo  Martin ", birth_date=date(1990, 3, 24), marketing_consent=True
    )
    join(make_shop(vendor={"ask_name": True, "ask_birthday": True, "ask_marketing": True}), form)
    join(make_shop("cafe"), form)
    asked, silent = rows(Customer)
    assert (asked.name, asked.birth_date) == ("Cleo Martin", date(1990, 3, 24))
    assert (asked.marketing_consent, asked.marketing_consent_at) == (True, NOW)
    assert (silent.name, silent.birth_date, silent.marketing_consent) == (None, None, False)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"vendor": {"status": "suspended"}}, VendorSuspended),
        ({"policy": {"allow_self_enrollment": False}}, SelfEnrollmentDisabled),
        ({"active": False}, ProgramInactive),
    ],
)
def test_it_refuses_where_nobody_can_join(changes: dict[str, Any], error: type[LoyaltyError]) -> None:
    shop = make_shop(**changes)
    with pytest.raises(error):
        join(shop)
    with pytest.raises(NotFound):
        enrolment.get_joinable(code="nobody")


def test_it_joins_by_phone_where_the_shop_asks_for_it() -> None:
    shop = make_shop(vendor={"contact_field": "phone"})
    with pytest.raises(ValidationError) as refusal:
        join(shop)
    assert list(refusal.value.errors) == ["phone"]
    assert join(shop, JoinForm(phone="621 123 456")).state == "created"
    assert rows(Customer)[0].phone == "+352621123456"
    assert kinds() == []
    assert join(shop, JoinForm(phone="+352 621 123 456", email="mallory@example.org")).state == "neutral"
    assert kinds() == []


def test_it_does_not_store_a_second_address_that_is_somebody_elses() -> None:
    shop = make_shop(vendor={"contact_field": "phone"})
    make_card(shop, email="cleo@example.org")
    joined = join(shop, JoinForm(phone="621 123 456", email="cleo@example.org"))
    assert joined.state == "created"
    assert rows(Customer)[-1].email is None
    assert kinds() == []


def test_it_makes_one_card_when_an_address_comes_many_times_at_once(app: Flask) -> None:
    shop, start = make_shop(), threading.Barrier(8)
    states: list[str] = []

    def work() -> None:
        with app.app_context():
            start.wait()
            states.append(join(shop).state)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == ["created"] + ["neutral"] * 7
    assert len(rows(LoyaltyCard)) == 1
    assert len(kinds()) == 3
