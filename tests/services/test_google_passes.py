"""Google Wallet above the adapter: what is described, who is told, which links are signed, which callbacks count."""

import base64
import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from flask import Flask

from loyalty.errors import CardInactive, CardNotFound, NotFound
from loyalty.services import cards, google_passes, images, programs, rewards, stamps, stores
from loyalty.services.images import Shape
from loyalty.wallets.google_account import SAVE_ADDRESS
from tests.factories import Card, Shop, change_program, make_card, make_key, make_reward, make_shop, make_store
from tests.google_fake import GoogleFake
from tests.google_platform import (
    class_id,
    deliver_all,
    object_id,
    open_rows,
    program_of,
    save,
)
from tests.google_signer import ISSUER
from tests.pictures import make_picture, opened

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def bakery(google: GoogleFake) -> Shop:
    return make_shop(vendor={"name": "Ada's Bakery", "locale": "fr"}, cooldown_minutes=0, max_daily_stamps=50)


def stamp(shop: Shop, card: Card) -> None:
    stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))


def test_it_describes_a_card_without_saying_whose_it_is(bakery: Shop) -> None:
    card = make_card(bakery, stamps=3, name="Cleo Martin", email="cleo@example.org")
    described = google_passes.find_object(card_id=card.card_id)
    assert described is not None
    words = json.dumps(described.described)
    assert "3/10" in words
    assert card.scan_code in words
    assert "Cleo" not in words
    assert "cleo@" not in words
    assert "Stempelen" in words


def test_it_gives_shops_without_a_logo_one_of_ours(bakery: Shop) -> None:
    for address, shown in (
        (None, "https://cards.example/google/logo.png"),
        ("http://bakery.example/logo.png", "https://cards.example/google/logo.png"),
        ("https://bakery.example/logo.png", "https://bakery.example/logo.png"),
    ):
        change_program(bakery, logo_url=address)
        described = google_passes.find_class(program_id=bakery.program_id)
        assert described is not None
        assert described.described["programLogo"] == {"sourceUri": {"uri": shown}}


def test_it_shows_google_the_shop_s_own_pictures_where_it_can_fetch_them(bakery: Shop, app: Flask) -> None:
    seen = set()
    for colour in ("#AA3311", "#22CC44"):
        pictures = {shape: make_picture(shape.value, colour) for shape in (Shape.LOGO, Shape.HERO)}
        logo, hero = (images.keep(actor=bakery.ada, data=data, shape=shape) for shape, data in pictures.items())
        change_program(bakery, logo_url=logo, hero_image_url=hero)
        described = google_passes.find_class(program_id=bakery.program_id)
        assert described is not None
        for name, shape in (("programLogo", Shape.LOGO), ("heroImage", Shape.HERO)):
            picture: Any = described.described[name]  # JSON
            address = picture["sourceUri"]["uri"]
            # Google keeps what it fetched: another picture needs another address.
            seen.add(address)
            answer = app.test_client().get(address.removeprefix("https://cards.example"))
            assert (answer.status_code, answer.content_type) == (200, "image/png")
            assert opened(answer.data).size == shape.value
            assert "Set-Cookie" not in answer.headers
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert len(seen) == 4


def test_it_patches_the_class_when_the_logo_changes(bakery: Shop, google: GoogleFake) -> None:
    save(make_card(bakery))
    logo = images.keep(actor=bakery.ada, data=make_picture(Shape.LOGO.value), shape=Shape.LOGO)
    programs.change(actor=bakery.ada, changes={"logo_url": logo}, key=make_key(bakery.ada))
    deliver_all()
    held = google.classes[class_id(bakery)]
    assert held["programLogo"] == {"sourceUri": {"uri": f"https://cards.example{logo}"}}
    assert google.methods()[-1] == "PATCH loyaltyClass"


def test_it_speaks_the_customer_s_language_first(bakery: Shop) -> None:
    for locale, label in (("de", "Stempel"), ("lb", "Stempelen"), ("en", "Stamps")):
        card = make_card(bakery, locale=locale)
        described = google_passes.find_object(card_id=card.card_id)
        assert described is not None
        points: Any = described.described["loyaltyPoints"]
        assert (points["label"], points["localizedLabel"]["defaultValue"]["language"]) == (label, locale)


def test_it_says_a_reward_in_every_language_where_the_shop_has_translated_it(bakery: Shop) -> None:
    change_program(bakery, loyalty_type="points")
    make_reward(bakery, "Un gâteau", translations={"de": {"name": "Ein Kuchen"}, "en": {"name": "A cake"}})
    card = make_card(bakery, locale="de")
    described = google_passes.find_object(card_id=card.card_id)
    assert described is not None
    (module,) = cast("list[Any]", described.described["textModulesData"])
    assert module["body"] == "Ein Kuchen"
    assert module["localizedBody"] == {
        "defaultValue": {"language": "de", "value": "Ein Kuchen"},
        "translatedValues": [
            {"language": "en", "value": "A cake"},
            {"language": "fr", "value": "Un gâteau"},
            {"language": "lb", "value": "Un gâteau"},
        ],
    }
    assert module["localizedHeader"]["defaultValue"] == {"language": "de", "value": "Nächste Prämie"}


def test_it_says_an_untranslated_reward_once_in_the_shop_s_own_words(bakery: Shop) -> None:
    change_program(bakery, loyalty_type="points")
    make_reward(bakery, "Un gâteau")
    described = google_passes.find_object(card_id=make_card(bakery, locale="de").card_id)
    assert described is not None
    (module,) = cast("list[Any]", described.described["textModulesData"])
    assert module["body"] == "Un gâteau"
    assert "localizedBody" not in module


def test_it_says_that_the_same_is_the_same(bakery: Shop) -> None:
    card = make_card(bakery)
    save(card)
    described = google_passes.find_object(card_id=card.card_id)
    assert described is not None
    assert (described.known, described.current) == (True, True)
    stamp(bakery, card)
    described = google_passes.find_object(card_id=card.card_id)
    assert described is not None
    assert (described.known, described.current) == (True, False)


def test_it_tells_google_only_of_cards_that_somebody_saved(bakery: Shop) -> None:
    saved, other = make_card(bakery), make_card(bakery)
    save(saved)
    assert not open_rows()
    stamp(bakery, other)
    assert not open_rows()
    stamp(bakery, saved)
    assert [row.subject_id for row in open_rows()] == [saved.card_id]


def test_it_tells_google_when_a_card_is_closed(bakery: Shop, google: GoogleFake) -> None:
    card = make_card(bakery)
    save(card)
    cards.deactivate(actor=bakery.mia, card=card.ref, reason="lost", key=make_key(bakery.mia))
    deliver_all()
    assert google.objects[object_id(card)]["state"] == "INACTIVE"


def test_it_tells_of_a_program_once_google_knows_it(bakery: Shop) -> None:
    def change(name: str) -> None:
        programs.change(actor=bakery.ada, changes={"card_name": name}, key=make_key(bakery.ada))

    change("Coffee")
    assert not open_rows("google.class")
    save(make_card(bakery))
    change("More coffee")
    assert [row.subject_id for row in open_rows("google.class")] == [bakery.program_id]
    deliver_all()
    change("More coffee")
    assert not open_rows("google.class")


def test_it_tells_of_rewards_and_stores_as_well(bakery: Shop) -> None:
    save(make_card(bakery))
    reward_id = make_reward(bakery)
    rewards.deactivate(actor=bakery.ada, reward_id=reward_id, key=make_key(bakery.ada))
    assert len(open_rows("google.class")) == 1
    deliver_all()
    stores.deactivate(actor=bakery.ada, store_id=make_store(bakery), key=make_key(bakery.ada))
    assert len(open_rows("google.class")) == 1


def test_it_names_the_program_at_google_when_it_is_activated(google: GoogleFake) -> None:
    shop = make_shop("cafe", active=False)
    programs.activate(actor=shop.ada, key=make_key(shop.ada))
    program = program_of(shop)
    assert (program.google_issuer_id, program.google_class_id) == (ISSUER, class_id(shop))
    assert not google.classes
    deliver_all()
    assert list(google.classes) == [class_id(shop)]


def test_it_signs_a_link_once_google_knows_the_card(bakery: Shop, google: GoogleFake) -> None:
    card = make_card(bakery)
    assert google_passes.offer_link(token=card.public_token, at=NOW).link == ""
    assert [row.subject_id for row in open_rows()] == [card.card_id]
    deliver_all()
    link = google_passes.offer_link(token=card.public_token, at=NOW).link
    assert link.startswith(SAVE_ADDRESS)
    claims = json.loads(base64.urlsafe_b64decode(link.removeprefix(SAVE_ADDRESS).split(".")[1] + "=="))
    assert claims["payload"] == {"loyaltyObjects": [{"id": object_id(card), "classId": class_id(bakery)}]}
    assert claims["origins"] == ["https://cards.example"]
    assert claims["iat"] == int(NOW.timestamp())
    assert object_id(card) in google.objects


def test_it_refuses_links_of_no_card_of_closed_cards_and_without_google(bakery: Shop) -> None:
    card = make_card(bakery)
    with pytest.raises(CardNotFound):
        google_passes.offer_link(token="nothing", at=NOW)
    cards.deactivate(actor=bakery.mia, card=card.ref, reason="lost", key=make_key(bakery.mia))
    with pytest.raises(CardInactive):
        google_passes.offer_link(token=card.public_token, at=NOW)
    google_passes.configure(google=None)
    with pytest.raises(NotFound):
        google_passes.offer_link(token=card.public_token, at=NOW)


def test_it_says_why_it_is_off_without_https(bakery: Shop) -> None:
    present = google_passes._google
    assert present is not None
    plain = google_passes.GooglePasses(present.account, present.issuer_id, "http://cards.example")
    google_passes.configure(google=plain)
    assert not google_passes.is_on()
    assert "https" in google_passes.reason_off()
