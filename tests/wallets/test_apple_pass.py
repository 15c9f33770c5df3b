"""What stands on the card: balances, rewards, words in four languages, colours that can be read."""

import random
import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from loyalty.domain.colours import contrast
from loyalty.domain.values import LoyaltyType
from loyalty.wallets.apple import Picture, StoreFacts, Translation, content_hash
from loyalty.wallets.apple_pass import pass_body
from loyalty.wallets.apple_texts import LOCALES, words
from tests.apple_passes import OpenedPass, make_content, make_facts, open_pass, passes


def made(content: Mapping[str, object] | None = None, facts: Mapping[str, object] | None = None) -> OpenedPass:
    """Make a pass with these changes and take it apart."""
    return open_pass(passes().make(make_content(**(content or {})), make_facts(**(facts or {}))))


def test_it_keeps_the_balance_in_the_header_and_says_its_changes() -> None:
    says = made().says["storeCard"]
    (stamps,) = says["headerFields"]
    assert (stamps["label"], stamps["value"], stamps["changeMessage"]) == ("Stamps", "4/10", "Your stamps: %@")
    assert says["primaryFields"] == []
    assert says["secondaryFields"] == [{"key": "stamps_reward", "label": "Next reward", "value": "One loaf"}]


def test_it_shows_points_as_a_number_that_the_phone_writes_its_own_way() -> None:
    pass_ = made({"loyalty_type": LoyaltyType.POINTS})
    assert pass_.fields["points"]["value"] == 120
    assert pass_.fields["points"]["numberStyle"] == "PKNumberStyleDecimal"
    assert pass_.fields["points"]["changeMessage"] == "Your points: %@"
    assert pass_.says["storeCard"]["primaryFields"][0]["value"] == "A cake"
    assert pass_.fields["points_goal"]["value"] == 500
    assert "stamps" not in pass_.fields


def test_it_shows_both_balances_of_a_hybrid_card() -> None:
    pass_ = made({"loyalty_type": LoyaltyType.HYBRID})
    assert [field["key"] for field in pass_.says["storeCard"]["headerFields"]] == ["points", "stamps"]
    assert pass_.says["storeCard"]["primaryFields"] == []
    assert {"stamps_reward", "points_reward", "points_goal"} <= pass_.fields.keys()


@pytest.mark.parametrize("kind", LoyaltyType)
def test_it_says_when_a_reward_is_ready(kind: LoyaltyType) -> None:
    pass_ = made({"loyalty_type": kind, "stamp_count": 10, "points_balance": 500})
    key = "points_reward" if kind == LoyaltyType.POINTS else "stamps_reward"
    assert pass_.fields[key]["label"] == "Reward ready"


def test_it_holds_the_scan_code_with_the_card_number_under_it() -> None:
    (barcode,) = made().says["barcodes"]
    assert barcode == {
        "format": "PKBarcodeFormatQR",
        "message": "BCDEFGHJKNPRSTVX",
        "messageEncoding": "iso-8859-1",
        "altText": "1234 567 890",
    }


def test_it_tells_the_phone_where_the_stores_are() -> None:
    stores = [StoreFacts(f"Store {number}", f"{number}, Rue", 49.5 + number / 10, 6.1) for number in range(12)]
    pass_ = made(facts={"stores": (StoreFacts("Market"), *stores)})
    assert len(pass_.says["locations"]) == 10
    assert pass_.says["locations"][0] == {
        "latitude": 49.5,
        "longitude": 6.1,
        "relevantText": "Show your card when you pay",
    }
    assert pass_.fields["stores"]["value"].startswith("Market\nStore 0, 0, Rue\n")


def test_it_puts_terms_and_addresses_on_the_back() -> None:
    facts = {
        "terms": "One stamp each.\nNo cash.",
        "privacy_url": "https://x.example/p",
        "card_page": "https://x.example/c",
    }
    back = {field["key"]: field["value"] for field in made(facts=facts).says["storeCard"]["backFields"]}
    assert back == {"card_number": "1234 567 890", "shop": "Ada’s Bakery", "card_name": "Bread card"} | {
        "terms": "One stamp each.\nNo cash.",
        "privacy": "https://x.example/p",
        "card_page": "https://x.example/c",
    }


def test_it_voids_a_closed_card_and_says_so() -> None:
    assert "voided" not in made().says
    for pass_ in (made({"is_active": False}), made(facts={"voided": True})):
        assert pass_.says["voided"] is True
        assert pass_.fields["inactive"]["value"] == "This card is not active"


def test_it_may_not_be_passed_on() -> None:
    assert made().says["sharingProhibited"] is True


def test_it_is_readable_on_any_colour() -> None:
    draw = random.Random(4711)
    for _ in range(500):
        colour = f"#{draw.randrange(1 << 24):06X}"
        says = pass_body(make_content(color=colour), make_facts())
        assert _hex(says["backgroundColor"]) == colour
        for text in ("foregroundColor", "labelColor"):
            assert contrast(_hex(says[text]), colour) >= 4.5


def _hex(rgb: str) -> str:
    found = re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", rgb)
    assert found
    return "#{:02X}{:02X}{:02X}".format(*map(int, found.groups()))


@pytest.mark.parametrize("base", LOCALES)
def test_it_speaks_four_languages_whichever_stands_in_the_pass(base: str) -> None:
    pass_ = made({"loyalty_type": LoyaltyType.HYBRID, "is_active": False}, {"locale": base, "terms": "…"})
    labels = {field["label"] for field in pass_.fields.values()}
    changes = {field["changeMessage"] for field in pass_.fields.values() if "changeMessage" in field}
    assert labels <= set(words(base).values())
    for locale in LOCALES:
        strings = pass_.strings(locale)
        assert labels | changes <= strings.keys()
        assert {strings[label] for label in labels} <= set(words(locale).values())
        assert all("%@" in strings[change] for change in changes)


def test_it_says_english_in_a_language_it_does_not_know() -> None:
    assert made(facts={"locale": "pt"}).fields["stamps"]["label"] == "Stamps"


def test_it_has_every_word_in_every_language() -> None:
    for locale in LOCALES:
        assert all(word.strip() for word in words(locale).values())
    assert words("de") != words("lb") != words("fr") != words("en")


def test_it_carries_the_shop_s_own_translations() -> None:
    own = (Translation("fr", 'One "big" loaf', 'Un "grand" pain\\'), Translation("de", 'One "big" loaf', "Ein Brot"))
    pass_ = made({"stamps_reward": 'One "big" loaf'}, {"translations": own})
    assert pass_.strings("fr")['One "big" loaf'] == 'Un "grand" pain\\'
    assert pass_.strings("de")['One "big" loaf'] == "Ein Brot"
    assert 'One "big" loaf' not in pass_.strings("lb")


def test_it_leaves_strings_without_a_byte_order_mark() -> None:
    assert all(not made().files[f"{locale}.lproj/pass.strings"].startswith(b"\xef\xbb\xbf") for locale in LOCALES)


def test_it_hashes_what_is_seen_and_nothing_else() -> None:
    content, facts = make_content(), make_facts()
    first = content_hash(content, facts)
    assert content_hash(content, make_facts()) == first
    # The points of a card of stamps are not on it.
    assert content_hash(replace(content, points_balance=7), facts) == first
    assert content_hash(content, replace(facts, serial="other", auth_token="another-token-of-length")) == first
    seen = [
        content_hash(replace(content, stamp_count=5), facts),
        content_hash(replace(content, color="#1F4FD2"), facts),
        content_hash(replace(content, is_active=False), facts),
        content_hash(content, replace(facts, terms="New")),
        content_hash(content, replace(facts, locale="fr")),
        content_hash(content, replace(facts, logo=Picture("1", lambda: b"picture"))),
        content_hash(content, replace(facts, logo=Picture("2", lambda: b"picture"))),
        content_hash(replace(content, logo_on_plate=True), replace(facts, logo=Picture("1", lambda: b"picture"))),
        content_hash(content, replace(facts, stores=(StoreFacts("Market"),))),
        content_hash(content, replace(facts, translations=(Translation("fr", "One loaf", "Un pain"),))),
    ]
    assert len({first, *seen}) == 11


def test_it_hashes_the_photograph_where_it_is_shown() -> None:
    facts = make_facts(hero=Picture("1", lambda: b"one"))
    for kind, differs in ((LoyaltyType.STAMPS, False), (LoyaltyType.HYBRID, False), (LoyaltyType.POINTS, True)):
        content = make_content(loyalty_type=kind, hero_url="/images/one.png")
        other = replace(facts, hero=Picture("2", lambda: b"two"))
        assert (content_hash(content, facts) != content_hash(content, other)) == differs


def test_it_hashes_who_makes_the_pass_and_where_it_asks_for_updates() -> None:
    content, facts = make_content(), make_facts()
    digests = [content_hash(content, facts, setup=setup) for setup in ("", "one", "two")]
    assert len(set(digests)) == 3
    assert passes().digest(content, facts) not in digests
    assert "https://cards.example/apple" in passes().setup


def test_it_writes_no_text_over_a_photograph() -> None:
    content = {"loyalty_type": LoyaltyType.POINTS, "hero_url": "/images/one.png"}
    card = made(content).says["storeCard"]
    assert card["primaryFields"] == []
    assert [field["key"] for field in card["secondaryFields"]] == ["points_reward", "points_goal"]
    card = made(content | {"is_active": False}).says["storeCard"]
    assert len(card["secondaryFields"]) == 3
