"""Classes and objects of Google Wallet as JSON."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from loyalty.domain.values import LoyaltyType, PassContent
from loyalty.wallets.google import class_json, class_patch, content_hash, object_json, object_patch
from loyalty.wallets.google_facts import CardFacts, Link, Place, ProgramFacts, class_id, is_id, object_id
from loyalty.wallets.google_texts import texts

ISSUER = "3388000000012345678"
PROGRAM = UUID("01935a00-0000-7000-8000-000000000001")
CARD = UUID("01935a00-0000-7000-8000-000000000002")
STAMPS = {"en": "Stamps", "fr": "Tampons", "de": "Stempel", "lb": "Stempelen"}
POINTS = {"en": "Points", "fr": "Points", "de": "Punkte", "lb": "Punkten"}

BAKERY = ProgramFacts(
    class_id=class_id(issuer_id=ISSUER, program_id=PROGRAM),
    locale="lb",
    vendor_name="Bäckerei „Um Eck“ 🥐",
    card_name={"lb": "Kaffi"},
    color="#4F46E5",
    logo_url="https://cards.example/logo.png",
    holder_label={"en": "Member", "lb": "Client"},
    number_label={"en": "Card number", "lb": "Kaartennummer"},
)
CLEOS_CARD = CardFacts(
    object_id=object_id(issuer_id=ISSUER, card_id=CARD),
    class_id=BAKERY.class_id,
    locale="lb",
    stamps_label=STAMPS,
    points_label=POINTS,
)
CONTENT = PassContent(
    vendor_name="Bäckerei Um Eck",
    card_name="Kaffi",
    color="#4F46E5",
    foreground="#FFFFFF",
    loyalty_type=LoyaltyType.STAMPS,
    stamp_count=7,
    stamps_target=10,
    stamps_reward="Free coffee",
    points_balance=1234,
    points_goal=2000,
    points_reward="Cake",
    card_number="1234567890",
    scan_code="BCDEFGHJKNPRSTVX",
)


def hybrid() -> PassContent:
    return replace(CONTENT, loyalty_type=LoyaltyType.HYBRID)


def translated(texts: dict[str, str]) -> dict[str, object]:
    return {
        "defaultValue": {"language": "lb", "value": texts["lb"]},
        "translatedValues": [{"language": other, "value": texts[other]} for other in ("de", "en", "fr")],
    }


def test_it_names_classes_and_objects_in_letters_that_google_takes() -> None:
    assert BAKERY.class_id == f"{ISSUER}.program-01935a00000070008000000000000001"
    assert CLEOS_CARD.object_id == f"{ISSUER}.card-01935a00000070008000000000000002"
    assert is_id(text=CLEOS_CARD.object_id, issuer_id=ISSUER)


@pytest.mark.parametrize("issuer", ["", "BCR2DN4T", "3388.1", "٣٣٨٨", "3388\n"])
def test_it_refuses_an_issuer_that_is_no_number(issuer: str) -> None:
    with pytest.raises(ValueError, match="An issuer id is a number"):
        class_id(issuer_id=issuer, program_id=PROGRAM)


def test_it_describes_a_program() -> None:
    described = class_json(BAKERY)
    assert described["id"] == BAKERY.class_id
    assert described["issuerName"] == "Bäckerei „Um Eck“ 🥐"
    assert described["programName"] == "Kaffi"
    assert "localizedProgramName" not in described
    assert described["accountIdLabel"] == "Kaartennummer"
    assert described["hexBackgroundColor"] == "#4f46e5"
    assert described["programLogo"] == {"sourceUri": {"uri": "https://cards.example/logo.png"}}
    assert described["multipleDevicesAndHoldersAllowedStatus"] == "ONE_USER_ALL_DEVICES"
    assert not {"heroImage", "callbackOptions", "merchantLocations", "textModulesData"} & described.keys()


def test_it_asks_for_review_in_every_write_of_a_class() -> None:
    assert class_json(BAKERY)["reviewStatus"] == "UNDER_REVIEW"
    assert class_patch(class_json(BAKERY))["reviewStatus"] == "UNDER_REVIEW"


def test_it_gives_a_program_places_terms_links_and_a_callback() -> None:
    facts = replace(
        BAKERY,
        hero_image_url="https://cards.example/hero.png",
        terms_label={"en": "Terms", "lb": "Konditiounen"},
        terms_text="Eng Kaart pro Persoun.",
        links=(Link(key="privacy", address="https://cards.example/p", description={"en": "Privacy", "lb": "Daten"}),),
        places=tuple(Place(latitude=49.6 + number / 100, longitude=6.1) for number in range(12)),
        callback_url="https://cards.example/api/v1/loyalty/google/callback",
    )
    described: dict[str, Any] = class_json(facts)  # Any: what Google's JSON nests.
    # An eleventh place would have the whole class refused.
    assert len(described["merchantLocations"]) == 10
    assert described["merchantLocations"][0] == {"latitude": 49.6, "longitude": 6.1}
    assert described["callbackOptions"] == {"url": facts.callback_url}
    assert described["heroImage"] == {"sourceUri": {"uri": facts.hero_image_url}}
    (terms,) = described["textModulesData"]
    assert (terms["id"], terms["header"], terms["body"]) == ("terms", "Konditiounen", "Eng Kaart pro Persoun.")
    (link,) = described["linksModuleData"]["uris"]
    assert (link["id"], link["uri"], link["description"]) == ("privacy", "https://cards.example/p", "Daten")


def test_it_describes_a_stamp_card() -> None:
    assert object_json(CONTENT, CLEOS_CARD) == {
        "id": CLEOS_CARD.object_id,
        "classId": BAKERY.class_id,
        "state": "ACTIVE",
        "accountId": "1234 567 890",
        "barcode": {"type": "QR_CODE", "value": "BCDEFGHJKNPRSTVX", "alternateText": "1234 567 890"},
        "loyaltyPoints": {
            "label": "Stempelen",
            "localizedLabel": translated(STAMPS),
            "balance": {"string": "7/10"},
        },
    }


def test_it_describes_a_points_card_as_a_number() -> None:
    described: dict[str, Any] = object_json(replace(CONTENT, loyalty_type=LoyaltyType.POINTS), CLEOS_CARD)
    assert described["loyaltyPoints"]["label"] == "Punkten"
    assert described["loyaltyPoints"]["balance"] == {"int": 1234}
    assert "secondaryLoyaltyPoints" not in described


def test_it_shows_stamps_first_and_points_second_where_there_are_both() -> None:
    described: dict[str, Any] = object_json(hybrid(), CLEOS_CARD)
    assert described["loyaltyPoints"]["balance"] == {"string": "7/10"}
    assert described["secondaryLoyaltyPoints"]["balance"] == {"int": 1234}


def test_it_shows_no_more_points_than_google_can_hold() -> None:
    described: dict[str, Any] = object_json(replace(hybrid(), points_balance=2**40), CLEOS_CARD)
    assert described["secondaryLoyaltyPoints"]["balance"] == {"int": 2**31 - 1}


def test_it_closes_a_card_by_making_it_inactive() -> None:
    assert object_json(replace(CONTENT, is_active=False), CLEOS_CARD)["state"] == "INACTIVE"


def test_it_names_the_holder_and_the_reward_where_they_are_told() -> None:
    facts = replace(
        CLEOS_CARD,
        holder_name='Cléo "C" O’Neill',
        reward_label={"en": "Reward", "lb": "Belounung"},
        reward_text={"en": "Free coffee", "lb": "Gratis Kaffi"},
        hero_image_url="https://cards.example/strip/7.png",
    )
    described: dict[str, Any] = object_json(CONTENT, facts)
    assert described["accountName"] == 'Cléo "C" O’Neill'
    (module,) = described["textModulesData"]
    assert (module["header"], module["body"]) == ("Belounung", "Gratis Kaffi")
    assert described["heroImage"] == {"sourceUri": {"uri": "https://cards.example/strip/7.png"}}


@pytest.mark.parametrize("locale", ["en", "fr", "de", "lb"])
def test_it_speaks_the_vendors_language_first_and_all_others_too(locale: str) -> None:
    described: dict[str, Any] = object_json(CONTENT, replace(CLEOS_CARD, locale=locale))
    label = described["loyaltyPoints"]["localizedLabel"]
    assert label["defaultValue"] == {"language": locale, "value": STAMPS[locale]}
    assert {one["language"] for one in label["translatedValues"]} == STAMPS.keys() - {locale}


@pytest.mark.parametrize(("name", "most"), [("stamps", 9), ("points", 9), ("member", 15), ("card_number", 15)])
def test_it_has_labels_as_short_as_google_shows_them(name: str, most: int) -> None:
    assert all(len(label) <= most for label in texts(name).values())


def test_it_falls_back_to_english_where_a_language_is_missing() -> None:
    texts = {"fr": "Tampons", "en": "Stamps"}
    described: dict[str, Any] = object_json(CONTENT, replace(CLEOS_CARD, stamps_label=texts, locale="de"))
    assert described["loyaltyPoints"]["label"] == "Stamps"
    assert described["loyaltyPoints"]["localizedLabel"] == {
        "defaultValue": {"language": "en", "value": "Stamps"},
        "translatedValues": [{"language": "fr", "value": "Tampons"}],
    }


def test_it_wipes_the_other_kind_of_balance_in_a_patch() -> None:
    stamps: dict[str, Any] = object_patch(object_json(CONTENT, CLEOS_CARD))
    assert stamps["loyaltyPoints"]["balance"] == {"int": None, "string": "7/10"}
    assert stamps["secondaryLoyaltyPoints"] is None
    points: dict[str, Any] = object_patch(object_json(replace(CONTENT, loyalty_type=LoyaltyType.POINTS), CLEOS_CARD))
    assert points["loyaltyPoints"]["balance"] == {"int": 1234, "string": None}


def test_it_wipes_in_a_patch_what_is_no_longer_there() -> None:
    assert object_patch(object_json(CONTENT, CLEOS_CARD))["accountName"] is None
    assert class_patch(class_json(BAKERY))["merchantLocations"] is None
    assert object_patch(object_json(CONTENT, replace(CLEOS_CARD, holder_name="Cleo")))["accountName"] == "Cleo"


def test_it_asks_google_to_notify_only_when_told() -> None:
    described = object_json(CONTENT, CLEOS_CARD)
    assert "notifyPreference" not in object_patch(described)
    assert object_patch(described, notify=True)["notifyPreference"] == "NOTIFY_ON_UPDATE"


def test_it_gives_equal_cards_equal_hashes_and_others_others() -> None:
    first = content_hash(object_json(CONTENT, CLEOS_CARD))
    shuffled = dict(reversed(object_json(CONTENT, CLEOS_CARD).items()))
    assert content_hash(shuffled) == first
    assert content_hash(object_json(replace(CONTENT, stamp_count=8), CLEOS_CARD)) != first
    assert content_hash(object_json(replace(CONTENT, is_active=False), CLEOS_CARD)) != first
    # What the card does not show does not wake Google.
    assert content_hash(object_json(replace(CONTENT, points_balance=9), CLEOS_CARD)) == first


def test_it_changes_nothing_it_was_given() -> None:
    described = object_json(hybrid(), CLEOS_CARD)
    before = json.dumps(described)
    object_patch(described, notify=True)
    assert json.dumps(described) == before
