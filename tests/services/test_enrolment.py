"""Joining: who gets a card, who gets a mail, and what is kept of what they typed."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.errors import (
    LinkExpired,
    LoyaltyError,
    NotFound,
    ProgramInactive,
    SelfEnrollmentDisabled,
    ValidationError,
    VendorSuspended,
)
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import Confirmation, EmailLog
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import enrolment, links
from loyalty.services.enrolment import Joined, JoinForm
from tests.factories import Shop, change_policy, change_program, make_card, make_key, make_shop

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLEO = JoinForm(email="Cleo@Example.org ")


def join(shop: Shop, form: JoinForm = CLEO, *, at: datetime = NOW, store: str | None = None, key: str = "") -> Joined:
    request = make_key(asked=form, key=key or None)
    return enrolment.join(vendor_code=shop.code, store_code=store, form=form, locale="fr", key=request, at=at)


def rows(model: Any) -> list[Any]:
    with transaction():
        db.session.expire_all()
        return list(db.session.execute(sa.select(model).order_by(model.created_at)).scalars())


def kinds() -> list[str]:
    return sorted(mail.kind for mail in rows(EmailLog))


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


def confirm(token: str, *, at: datetime = NOW, key: str | None = None) -> Joined:
    return enrolment.confirm_join(token=token, key=make_key(key=key), at=at)


def mailed_token() -> str:
    return links.confirmation(rows(Confirmation)[-1].id, "join").rpartition("/")[2]


def test_it_asks_everybody_to_confirm_where_the_shop_wants_it() -> None:
    shop = make_shop(vendor={"confirm_address": True})
    make_card(shop, email="ada@example.org")
    new, known = join(shop), join(shop, JoinForm(email="ada@example.org"))
    assert new == known == Joined(state="confirm", vendor_code=shop.code)
    assert kinds() == ["card_link", "confirm_join"]
    assert len(rows(LoyaltyCard)) == 1


def test_it_uses_a_mailed_link_once_and_looking_at_it_never() -> None:
    shop = make_shop(vendor={"confirm_address": True, "ask_name": True})
    join(shop, JoinForm(email="cleo@example.org", name="Cleo Martin"), store="main")
    token = mailed_token()
    for _ in range(5):
        assert enrolment.get_pending(token=token, at=NOW).code == shop.code
    joined = confirm(token, key="the-key-of-the-button")
    (card,), (cleo,) = rows(LoyaltyCard), rows(Customer)
    assert (joined.state, joined.public_token) == ("created", card.public_token)
    assert (cleo.name, cleo.locale, card.enrolled_at_store_id) == ("Cleo Martin", "fr", shop.store_id)
    assert confirm(token, key="the-key-of-the-button").public_token == card.public_token
    with pytest.raises(LinkExpired):
        confirm(token)
    with pytest.raises(LinkExpired):
        enrolment.get_pending(token=token, at=NOW)


def test_it_shows_the_old_card_to_whoever_proves_its_address() -> None:
    shop = make_shop(vendor={"confirm_address": True})
    join(shop)
    token = mailed_token()
    card = make_card(shop, email="cleo@example.org")
    assert confirm(token).public_token == card.public_token
    assert len(rows(LoyaltyCard)) == 1


def test_it_shows_nobody_a_card_by_a_phone_number_that_is_not_proven() -> None:
    shop = make_shop(vendor={"confirm_address": True, "contact_field": "phone"})
    join(shop, JoinForm(phone="621 123 456", email="mallory@example.org"))
    token = mailed_token()
    make_card(shop, email="cleo@example.org", phone="+352621123456")
    joined = confirm(token)
    assert (joined.state, joined.public_token) == ("confirm", None)


def test_it_refuses_links_that_are_old_forged_or_of_another_kind() -> None:
    shop = make_shop(vendor={"confirm_address": True})
    join(shop)
    token = mailed_token()
    other_kind = links.confirmation(rows(Confirmation)[0].id, "password").rpartition("/")[2]
    for wrong, at in [(token, NOW + timedelta(hours=24)), (token[:-2] + "xx", NOW), (other_kind, NOW), ("", NOW)]:
        with pytest.raises(LinkExpired):
            confirm(wrong, at=at)
    assert rows(LoyaltyCard) == []


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
