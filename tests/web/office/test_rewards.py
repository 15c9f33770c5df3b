"""Rewards in the office."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.services import programs, rewards
from loyalty.services.rewards import RewardRow
from tests.browsing import fields, hidden, send, sign_in
from tests.office import Office, key_of, make_bakery, make_butcher


@pytest.fixture
def ada(app: Flask, client: FlaskClient) -> Office:
    with app.app_context():
        office = make_bakery()
        programs.change(actor=office.actor, changes={"loyalty_type": "points"}, key=key_of(office))
    sign_in(client, office)
    return office


def stored(app: Flask, office: Office) -> list[RewardRow]:
    with app.app_context():
        return rewards.list_all(actor=office.actor)


def add(app: Flask, office: Office, name: str) -> str:
    with app.app_context():
        details = {"name": name, "points_required": 100}
        return rewards.create(actor=office.actor, details=details, key=key_of(office)).reward_id


def test_it_adds_a_reward_once_per_key(client: FlaskClient, app: Flask, ada: Office) -> None:
    page = client.get("/office/rewards")
    typed = {"name": "Croissant", "points_required": "1 500", "value_cents": "1,80"}
    for _ in range(2):
        assert send(client, "/office/rewards", page, typed).status_code == 303
    (row,) = stored(app, ada)
    assert (row.name, row.points_required, row.value_cents) == ("Croissant", 1500, 180)
    assert "“Croissant” is on offer." in client.get("/office/rewards").text


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("points_required", ""),
        ("points_required", "0"),
        ("points_required", "1000001"),
        ("points_required", "ten"),
        ("value_cents", "-1"),
        ("value_cents", "100000,01"),
        ("value_cents", "1,234"),
        ("description", "x" * 501),
    ],
)
def test_it_says_beside_the_field_what_is_wrong(
    client: FlaskClient, app: Flask, ada: Office, name: str, bad: str
) -> None:
    page = client.get("/office/rewards")
    answer = send(client, "/office/rewards", page, {"name": "Loaf", "points_required": "10", name: bad})
    assert answer.status_code == 422
    assert f'id="{name}-error"' in answer.text
    assert "<title>Error: Rewards" in answer.text
    assert fields(answer)[name] == bad
    assert stored(app, ada) == []


def test_it_changes_a_reward_and_keeps_its_id(client: FlaskClient, app: Flask, ada: Office) -> None:
    reward_id = add(app, ada, "Croissant")
    path = f"/office/rewards/{reward_id}"
    assert send(client, path, client.get(path), {"name": "Big croissant"}).status_code == 303
    (row,) = stored(app, ada)
    assert (row.reward_id, row.name, row.points_required) == (reward_id, "Big croissant", 100)
    answer = send(client, path, client.get(path), {"points_required": "0"})
    assert answer.status_code == 422
    assert stored(app, ada) == [row]


def test_it_takes_a_reward_off_and_puts_it_back(client: FlaskClient, app: Flask, ada: Office) -> None:
    reward_id = add(app, ada, "Croissant")
    for step, active in (("deactivate", False), ("activate", True)):
        path = f"/office/rewards/{reward_id}/{step}"
        page = client.get("/office/rewards")
        for _ in range(2):
            assert client.post(path, data=hidden(page, path)).status_code == 303
        assert stored(app, ada)[0].active is active


def test_it_moves_a_reward_one_place_per_tap(client: FlaskClient, app: Flask, ada: Office) -> None:
    for name in ("Loaf", "Roll", "Cake"):
        add(app, ada, name)
    cake = stored(app, ada)[2].reward_id
    path = f"/office/rewards/{cake}/up"
    page = client.get("/office/rewards")
    for _ in range(2):
        assert client.post(path, data=hidden(page, path)).status_code == 303
    assert [row.name for row in stored(app, ada)] == ["Loaf", "Cake", "Roll"]


def test_it_offers_only_moves_that_there_are(client: FlaskClient, app: Flask, ada: Office) -> None:
    loaf, roll, cake = [add(app, ada, name) for name in ("Loaf", "Roll", "Cake")]
    with app.app_context():
        rewards.deactivate(actor=ada.actor, reward_id=cake, key=key_of(ada))
    page = client.get("/office/rewards")
    moves = re.findall(r'action="/office/rewards/([\w-]+)/(up|down)"', page.text)
    assert moves == [(loaf, "down"), (roll, "up")]
    path = f"/office/rewards/{loaf}/down"
    assert client.post(path, data=hidden(page, path)).status_code == 303
    assert [row.name for row in stored(app, ada)][:2] == ["Roll", "Loaf"]


def test_it_does_not_find_the_rewards_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    reward_id = add(app, ada, "Croissant")
    with app.app_context():
        mallory = make_butcher()
    thief = app.test_client()
    sign_in(thief, mallory)
    before = stored(app, ada)
    form = {**hidden(thief.get("/office/rewards")), "name": "Mine", "points_required": "1"}
    assert thief.get(f"/office/rewards/{reward_id}").status_code == 404
    for step in ("", "/deactivate", "/activate", "/up", "/down"):
        assert thief.post(f"/office/rewards/{reward_id}{step}", data=form).status_code == 404
    assert stored(app, ada) == before


def test_it_takes_names_in_other_languages_and_shows_them_for_changing(
    client: FlaskClient, app: Flask, ada: Office
) -> None:
    typed = {"name": "Croissant", "points_required": "150", "name_fr": 'Un "grand" croissant'}
    send(client, "/office/rewards", client.get("/office/rewards"), typed)
    (row,) = stored(app, ada)
    address = f"/office/rewards/{row.reward_id}"
    page = client.get(address)
    assert fields(page)["name_fr"] == 'Un "grand" croissant'
    assert send(client, address, page, fields(page) | {"name_lb": "Croissant", "name_fr": ""}).status_code == 303
    assert stored(app, ada)[0].names == {"lb": "Croissant"}


def test_it_keeps_a_wrong_name_beside_its_field(client: FlaskClient, app: Flask, ada: Office) -> None:
    typed = {"name": "Croissant", "points_required": "150", "name_de": "ö" * 121}
    page = send(client, "/office/rewards", client.get("/office/rewards"), typed)
    assert page.status_code == 422
    assert "Use at most 120 characters." in page.text
    assert fields(page)["name_de"] == "ö" * 121
    assert stored(app, ada) == []
