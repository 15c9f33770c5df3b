"""Addresses that have to be confirmed before there is a card."""

from datetime import datetime, timedelta

import pytest

from loyalty.errors import (
    LinkExpired,
)
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import Confirmation
from loyalty.services import enrolment, links
from loyalty.services.enrolment import Joined, JoinForm
from tests.factories import make_card, make_key, make_shop
from tests.services.joining import NOW, join, kinds, rows

pytestmark = pytest.mark.usefixtures("context")


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
