"""The page with the program's settings, driven by forms as a browser without JavaScript sends them."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.domain import bounds
from loyalty.services import programs
from loyalty.services.programs import Program
from tests.browsing import fields, hidden, send, sign_in
from tests.office import Office, make_bakery, make_butcher

MONEY = {"stamps_reward_value_cents", "minimum_purchase_cents"}


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def stored(app: Flask, office: Office) -> Program:
    with app.app_context():
        return programs.get(actor=office.actor)


def typed(name: str, value: int) -> str:
    return f"{value / 100:.2f}" if name in MONEY else str(value)


def test_it_shows_every_setting(client: FlaskClient, ada: Office) -> None:
    sign_in(client, ada)
    page = client.get("/office/program")
    assert page.status_code == 200
    unseen = {"program_id", "vendor_name", "currency", "is_active", "activated_at", "closes_on"}
    settings = {name for name in Program.__dataclass_fields__ if name not in unseen}
    assert settings <= set(fields(page))
    assert "Text will be white, contrast 6.3 : 1." in page.text


def test_it_saves_and_says_so(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    changes = {"stamps_target": "8", "minimum_purchase_cents": "12,50", "card_color": "#0b6b3a", "welcome_stamps": "2"}
    answer = send(client, "/office/program", client.get("/office/program"), changes)
    assert (answer.status_code, answer.location) == (303, "/office/program")
    assert "The program is saved." in client.get("/office/program").text
    present = stored(app, ada)
    assert (present.stamps_target, present.minimum_purchase_cents, present.card_color) == (8, 1250, "#0B6B3A")


def test_it_sends_back_what_it_shows(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    before = stored(app, ada)
    assert send(client, "/office/program", client.get("/office/program"), {}).status_code == 303
    assert stored(app, ada) == before


@pytest.mark.parametrize(("name", "limits"), sorted(bounds.PROGRAM.items()))
def test_it_takes_a_number_at_its_bounds(
    client: FlaskClient, app: Flask, ada: Office, name: str, limits: tuple[int, int]
) -> None:
    sign_in(client, ada)
    for value in limits:
        page = client.get("/office/program")
        assert send(client, "/office/program", page, {name: typed(name, value)}).status_code == 303
        assert getattr(stored(app, ada), name) == value


@pytest.mark.parametrize(("name", "limits"), sorted(bounds.PROGRAM.items()))
def test_it_refuses_a_number_beyond_its_bounds(
    client: FlaskClient, app: Flask, ada: Office, name: str, limits: tuple[int, int]
) -> None:
    sign_in(client, ada)
    before = stored(app, ada)
    for text in (typed(name, limits[0] - 1), typed(name, limits[1] + 1), "many", "1e3"):
        page = client.get("/office/program")
        answer = send(client, "/office/program", page, {name: text, "card_name": "Never"})
        assert answer.status_code == 422
        assert f'id="{name}-error"' in answer.text
        assert f'href="#{name}"' in answer.text
        assert "<title>Error: Program" in answer.text
        assert (fields(answer)[name], fields(answer)["card_name"]) == (text, "Never")
    assert stored(app, ada) == before


def test_it_names_every_wrong_field_at_once(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    wrong = {
        "stamps_target": "0",
        "points_per_euro": "",
        "card_color": "red",
        "logo_url": "javascript:alert(1)",
        "stamps_reward_description": " ",
        "loyalty_type": "lottery",
        "terms_text": "x" * 20_001,
    }
    answer = send(client, "/office/program", client.get("/office/program"), wrong)
    assert answer.status_code == 422
    for name in wrong:
        shown = "logo_file" if name == "logo_url" else name
        assert f'id="{shown}-error"' in answer.text, name
    assert "Enter a whole number from 1 to 100." in answer.text


def test_it_keeps_markup_out_of_the_page(client: FlaskClient, ada: Office) -> None:
    sign_in(client, ada)
    page = client.get("/office/program")
    send(client, "/office/program", page, {"stamps_reward_description": "<script>alert(1)</script>"})
    text = client.get("/office/program").text
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_it_saves_once_per_key(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    page = client.get("/office/program")
    send(client, "/office/program", page, {"stamps_target": "8"})
    send(client, "/office/program", client.get("/office/program"), {"stamps_target": "9"})
    assert send(client, "/office/program", page, {"stamps_target": "8"}).status_code == 303
    assert stored(app, ada).stamps_target == 9
    assert send(client, "/office/program", page, {"stamps_target": "7"}).status_code == 422


def test_it_draws_the_preview_for_htmx_and_without(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    changes = {**fields(client.get("/office/program")), "card_color": "#FFEE00", "stamps_target": "0"}
    partial = client.post("/office/program/preview", data=changes, headers={"HX-Request": "true"})
    assert partial.text.strip().startswith('<section class="stack" id="preview"')
    assert "Text will be black" in partial.text
    assert "c=FFEE00" in partial.text
    assert "4/10" in partial.text
    page = client.post("/office/program/preview", data=changes)
    assert page.text.lstrip().startswith("<!doctype html>")
    assert fields(page)["card_color"] == "#FFEE00"
    assert page.vary.as_set() >= {"hx-request"}
    assert stored(app, ada).card_color == "#4F46E5"


def test_it_opens_and_pauses_the_program(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    for path, active in (("activate", True), ("deactivate", False)):
        page = client.get(f"/office/program/{path}")
        for _ in range(2):
            assert client.post(f"/office/program/{path}", data=hidden(page)).status_code == 303
        assert stored(app, ada).is_active is active


def test_it_needs_the_forms_key_and_token(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    page = client.get("/office/program/activate")
    without_token = {name: value for name, value in hidden(page).items() if name != "csrf_token"}
    assert client.post("/office/program/activate", data=without_token).status_code == 400
    without_key = {name: value for name, value in hidden(page).items() if name != "key"}
    assert client.post("/office/program/activate", data=without_key).status_code == 422
    assert not stored(app, ada).is_active


def test_it_shows_nothing_of_the_shop_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
    sign_in(client, mallory)
    send(client, "/office/program", client.get("/office/program"), {"stamps_target": "3"})
    assert stored(app, ada).stamps_target == 10
    assert "Ada" not in client.get("/office/program").text


def test_it_takes_the_longest_terms_in_any_script(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    answer = send(client, "/office/program", client.get("/office/program"), {"terms_text": "條" * 20_000})
    assert answer.status_code == 303
    assert stored(app, ada).terms_text == "條" * 20_000
