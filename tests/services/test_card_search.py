"""Who is found by a name that many have: those who were here last, active cards first."""

import pytest

from loyalty.domain.values import CardRef
from loyalty.services import card_lists, card_search, cards, stamps
from tests.factories import Card, Shop, make_card, make_key, make_shop

pytestmark = pytest.mark.usefixtures("context")


def find(shop: Shop, text: str = "le") -> list[str]:
    return [match.card_number for match in card_search.look_up(actor=shop.ben, text=text)]


def come(shop: Shop, *customers: Card) -> list[str]:
    """Stamp cards, in this order; return their numbers, the last first."""
    for card in customers:
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    return [card.card_number for card in reversed(customers)]


@pytest.mark.parametrize("entries", [0, 3, 8, 1_000])
def test_it_finds_who_came_last_however_far_it_looks_back(monkeypatch: pytest.MonkeyPatch, entries: int) -> None:
    monkeypatch.setattr(card_search, "LATEST_ENTRIES", entries)
    shop, other = make_shop(max_daily_stamps=50, cooldown_minutes=0), make_shop("mallory")
    lenas = [make_card(shop, name=f"Lena {number}") for number in range(7)]
    make_card(shop, name="Marc Weber")
    make_card(other, name="Lena of another shop")
    order = come(shop, *(lenas[place] for place in (3, 0, 6, 2, 5, 1, 4, 3)))
    assert find(shop) == order[:5]
    # A card that was closed comes behind all that are open, though nobody was here later.
    gone = CardRef(card_id=lenas[3].card_id)
    cards.deactivate(actor=shop.ada, card=gone, reason="moved away", key=make_key(shop.ada))
    assert find(shop) == order[1:6]


def test_it_finds_the_few_who_have_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make_shop()
    first, second = make_card(shop, name="Zoé Weber"), make_card(shop, name="Marc van Zoé")
    for _ in range(2):
        assert find(shop, "zo") == [second.card_number, first.card_number]
        assert find(shop, "zzzz") == []
        monkeypatch.setattr(card_search, "LATEST_ENTRIES", 1)


@pytest.mark.parametrize(
    ("typed", "who"),
    [
        ("ma", ["Ana Maria", "Maria João da Costa Ferreira"]),
        ("SILVA", ["Rui da Silva"]),
        ("da", ["Maria João da Costa Ferreira", "Rui da Silva"]),
        ("da c", ["Maria João da Costa Ferreira"]),
        ("costa", ["Maria João da Costa Ferreira"]),
        ("costa f", ["Maria João da Costa Ferreira"]),
        ("ferr", ["Maria João da Costa Ferreira"]),
        ("osta", []),
        ("a ma", []),
        ("_a", []),
        ("50% ", ["Ana 50% Off"]),
        ("%f", []),
    ],
)
def test_it_finds_people_by_the_beginning_of_any_of_their_names(typed: str, who: list[str]) -> None:
    shop = make_shop()
    names = ("Ana Maria", "Rui da Silva", "Maria João da Costa Ferreira", "Bo", "Ana 50% Off")
    numbers = {make_card(shop, name=name).card_number: name for name in names}
    assert sorted(numbers[number] for number in find(shop, typed)) == who
    assert sorted(str(row.name) for row in card_lists.list_cards(actor=shop.ada, text=typed).rows) == who


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("ΝΙΚΟΣ ΠΑΠΠΑΣ", "ΝΙΚΟΣ"),
        ("ΝΙΚΟΣ ΠΑΠΠΑΣ", "παππας"),
        ("Νίκος Παππάς", "ΝΊΚΟΣ"),
        ("İpek Öz", "İpek"),
        ("Zoé", "ZOE\u0301"),
        ("Cleo Martin", "cleo  martin"),
    ],
    ids=["sigma", "small sigma", "large sigma", "dotted i", "two signs", "two spaces"],
)
def test_it_finds_names_whose_small_letters_are_not_the_same_everywhere(name: str, typed: str) -> None:
    shop = make_shop()
    card = make_card(shop, name=name)
    make_card(shop, name="Νίκη Ilek")
    assert find(shop, typed) == [card.card_number]
