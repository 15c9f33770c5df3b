"""What the preview says of a card is what its passes say."""

import pytest

from loyalty.domain.values import LoyaltyType
from loyalty.wallets.apple_pass import pass_body
from loyalty.wallets.faces import Field, apple_face, google_face
from tests.apple_passes import make_content, make_facts


@pytest.mark.parametrize("kind", list(LoyaltyType))
@pytest.mark.parametrize("locale", ["en", "fr", "de", "lb"])
def test_it_shows_the_fields_of_the_apple_pass(kind: LoyaltyType, locale: str) -> None:
    content = make_content(loyalty_type=kind)
    made = pass_body(content, make_facts(locale=locale))["storeCard"]
    shown = apple_face(content, locale)
    for place, fields in (("header", shown.header), ("primary", shown.primary), ("secondary", shown.secondary)):
        assert [(field.label, field.value) for field in fields] == [
            (field["label"], field["value"]) for field in made[f"{place}Fields"]
        ]


def test_it_shows_the_balances_of_the_google_object() -> None:
    content = make_content(loyalty_type=LoyaltyType.HYBRID)
    assert google_face(content, "fr") == (Field("Tampons", "4/10"), Field("Points", 120))


def test_it_shows_one_balance_of_a_card_that_has_one() -> None:
    assert google_face(make_content(loyalty_type=LoyaltyType.POINTS), "de") == (Field("Punkte", 120),)
    assert google_face(make_content(stamp_count=10), "en") == (Field("Stamps", "10/10"),)


def test_it_says_when_the_reward_is_ready() -> None:
    assert apple_face(make_content(stamp_count=10), "en").secondary == (Field("Reward ready", "One loaf"),)
