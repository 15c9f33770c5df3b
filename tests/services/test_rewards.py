"""Rewards: stable ids, an order, never deleted, and only one's own."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loyalty.domain import bounds
from loyalty.domain.values import Role
from loyalty.errors import Forbidden, NotFound, ValidationError
from loyalty.services import card_views, rewards
from tests.factories import make_card, make_reward, make_shop
from tests.office import Office, key_of, make_bakery, make_butcher


def add(office: Office, name: str = "Croissant", points: int = 100) -> str:
    made = rewards.create(actor=office.actor, details={"name": name, "points_required": points}, key=key_of(office))
    return made.reward_id


def names(office: Office) -> list[str]:
    return [reward.name for reward in rewards.list_all(actor=office.actor)]


def test_it_keeps_the_id_of_a_reward_that_changes(context: None) -> None:
    ada = make_bakery()
    reward_id = add(ada)
    details = {"name": "Croissant and coffee", "points_required": 150, "value_cents": 420, "description": "Any size"}
    rewards.change(actor=ada.actor, reward_id=reward_id, details=details, key=key_of(ada))
    row = rewards.get(actor=ada.actor, reward_id=reward_id)
    assert (row.reward_id, row.name, row.points_required, row.value_cents) == (
        reward_id,
        "Croissant and coffee",
        150,
        420,
    )


@pytest.mark.parametrize(("name", "limits"), [(n, v) for n, v in bounds.REWARD.items() if n != "sort_order"])
def test_it_holds_the_bounds_of_a_reward(context: None, name: str, limits: tuple[int, int]) -> None:
    ada = make_bakery()
    details = {"name": "Loaf", "points_required": 10}
    for value in limits:
        rewards.create(actor=ada.actor, details={**details, name: value}, key=key_of(ada))
    for value in (limits[0] - 1, limits[1] + 1):
        with pytest.raises(ValidationError) as refusal:
            rewards.create(actor=ada.actor, details={**details, name: value}, key=key_of(ada))
        assert list(refusal.value.errors) == [name]
    assert len(names(ada)) == 2


def test_it_needs_a_name_and_a_price(context: None) -> None:
    ada = make_bakery()
    with pytest.raises(ValidationError) as refusal:
        rewards.create(actor=ada.actor, details={}, key=key_of(ada))
    assert set(refusal.value.errors) == {"name", "points_required"}
    assert names(ada) == []


def test_it_adds_one_reward_per_key(context: None) -> None:
    ada = make_bakery()
    key = key_of(ada)
    details = {"name": "Loaf", "points_required": 10}
    first = rewards.create(actor=ada.actor, details=details, key=key)
    second = rewards.create(actor=ada.actor, details=details, key=key)
    assert (second.reward_id, second.replayed) == (first.reward_id, True)
    assert names(ada) == ["Loaf"]


def test_it_moves_rewards_and_stops_at_the_ends(context: None) -> None:
    ada = make_bakery()
    loaf, _roll, cake = add(ada, "Loaf"), add(ada, "Roll"), add(ada, "Cake")
    rewards.move(actor=ada.actor, reward_id=cake, up=True, key=key_of(ada))
    assert names(ada) == ["Loaf", "Cake", "Roll"]
    rewards.move(actor=ada.actor, reward_id=loaf, up=True, key=key_of(ada))
    assert names(ada) == ["Loaf", "Cake", "Roll"]
    rewards.move(actor=ada.actor, reward_id=loaf, up=False, key=key_of(ada))
    assert names(ada) == ["Cake", "Loaf", "Roll"]


def test_it_takes_a_reward_off_the_offer_and_back(context: None) -> None:
    ada = make_bakery()
    reward_id = add(ada)
    rewards.deactivate(actor=ada.actor, reward_id=reward_id, key=key_of(ada))
    assert not rewards.get(actor=ada.actor, reward_id=reward_id).active
    rewards.reactivate(actor=ada.actor, reward_id=reward_id, key=key_of(ada))
    assert rewards.get(actor=ada.actor, reward_id=reward_id).active


def test_it_does_not_find_the_rewards_next_door(context: None) -> None:
    ada, mallory = make_bakery(), make_butcher()
    reward_id = add(ada)
    with pytest.raises(NotFound):
        rewards.get(actor=mallory.actor, reward_id=reward_id)
    with pytest.raises(NotFound):
        rewards.change(actor=mallory.actor, reward_id=reward_id, details={"name": "Mine"}, key=key_of(mallory))
    with pytest.raises(NotFound):
        rewards.deactivate(actor=mallory.actor, reward_id=reward_id, key=key_of(mallory))
    with pytest.raises(NotFound):
        rewards.move(actor=mallory.actor, reward_id=reward_id, up=True, key=key_of(mallory))
    row = rewards.get(actor=ada.actor, reward_id=reward_id)
    assert (row.name, row.active) == ("Croissant", True)


def test_it_refuses_a_cashier(context: None) -> None:
    ada = make_bakery()
    ben = replace(ada.actor, role=Role.STAFF)
    with pytest.raises(Forbidden):
        rewards.create(actor=ben, details={"name": "Loaf", "points_required": 1}, key=key_of(ada))


def test_it_keeps_what_a_reward_is_called_in_each_language(context: None) -> None:
    ada = make_bakery()
    details = {"name": "Croissant", "points_required": 10, "name_fr": "Un croissant", "name_de": " Hörnchen "}
    reward_id = rewards.create(actor=ada.actor, details=details, key=key_of(ada)).reward_id
    assert rewards.get(actor=ada.actor, reward_id=reward_id).names == {"fr": "Un croissant", "de": "Hörnchen"}
    # What is not named stays, what is empty goes.
    for change, left in (
        ({"points_required": 20}, {"fr": "Un croissant", "de": "Hörnchen"}),
        ({"name_de": "", "name_lb": "Croissant"}, {"fr": "Un croissant", "lb": "Croissant"}),
        ({"name_fr": "", "name_lb": ""}, {}),
    ):
        rewards.change(actor=ada.actor, reward_id=reward_id, details=change, key=key_of(ada))
        assert rewards.get(actor=ada.actor, reward_id=reward_id).names == left


@pytest.mark.parametrize("wrong", ["x" * 121, "two\nlines", "\ud800"])
def test_it_refuses_a_name_that_no_pass_can_show(context: None, wrong: str) -> None:
    ada = make_bakery()
    details = {"name": "Croissant", "points_required": 10, "name_lb": wrong}
    with pytest.raises(ValidationError) as refusal:
        rewards.create(actor=ada.actor, details=details, key=key_of(ada))
    assert list(refusal.value.errors) == ["name_lb"]
    assert names(ada) == []


def test_it_names_rewards_to_each_reader_in_their_own_words(context: None) -> None:
    shop = make_shop(loyalty_type="points")
    make_reward(shop, "Croissant", 100, translations={"fr": {"name": "Un croissant"}})
    make_reward(shop, "Cake", 200)
    for locale, shown in (("fr", "Un croissant"), ("de", "Croissant")):
        card = make_card(shop, locale=locale)
        page = card_views.get_public(token=card.public_token)
        assert [reward.name for reward in page.rewards] == [shown, "Cake"]
        assert page.content.points_reward == shown
        # Staff say what stands on their own list.
        till = card_views.get_at_counter(actor=shop.ben, card_id=card.card_id, at=datetime.now(UTC))
        assert [reward.name for reward in till.rewards] == ["Croissant", "Cake"]
