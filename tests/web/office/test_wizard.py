"""The wizard: five steps, each saved as it is done, until the program is open."""

import re
from itertools import pairwise

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.database import db
from loyalty.domain.values import Role
from loyalty.models.pins import StaffPin
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.models.vendors import Store
from loyalty.services import onboarding_steps, pins, programs, rewards
from tests.browsing import fields, hidden, send, sign_in
from tests.office import PASSWORD, Office, key_of, make_bakery, make_butcher, make_office

WIZARD = "/office/wizard"
STEPS = ("kind", "rule", "look", "place", "launch")


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


@pytest.fixture
def at_work(client: FlaskClient, ada: Office) -> FlaskClient:
    sign_in(client, ada)
    return client


def save(client: FlaskClient, step: str, **changes: str | None) -> TestResponse:
    page = client.get(f"{WIZARD}/{step}")
    assert page.status_code == 200, page.location
    return send(client, f"{WIZARD}/{step}", page, changes)


def the_program(ada: Office) -> LoyaltyProgram:
    query = sa.select(LoyaltyProgram).where(LoyaltyProgram.vendor_id == ada.vendor_id)
    return db.session.execute(query).scalar_one()


def test_an_owner_without_a_program_begins_in_it(app: Flask, client: FlaskClient, ada: Office) -> None:
    page = client.get("/office/sign-in")
    said = {**hidden(page), "email": ada.email, "password": PASSWORD}
    assert client.post("/office/sign-in", data=said).location == WIZARD
    assert client.get(WIZARD).location == f"{WIZARD}/kind"
    with app.app_context():
        programs.activate(actor=ada.actor, key=key_of(ada))
    other = app.test_client()
    said = {**hidden(other.get("/office/sign-in")), "email": ada.email, "password": PASSWORD}
    assert other.post("/office/sign-in", data=said).location == "/office"


def test_a_manager_begins_on_the_first_page(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        office = make_office("Ada's Bakery", "mia@bakery.example", role=Role.MANAGER)
    page = client.get("/office/sign-in")
    said = {**hidden(page), "email": office.email, "password": PASSWORD}
    assert client.post("/office/sign-in", data=said).location == "/office"
    assert client.get(f"{WIZARD}/kind").status_code == 200


def test_it_goes_from_nothing_to_an_open_program(app: Flask, at_work: FlaskClient, ada: Office) -> None:
    assert save(at_work, "kind", loyalty_type="hybrid").location == f"{WIZARD}/rule"
    said = {"stamps_target": "8", "stamps_reward_description": "1 free coffee", "points_per_euro": "5"}
    rule = save(at_work, "rule", **said, reward_name="Croissant", reward_points="150")
    assert rule.location == f"{WIZARD}/look"
    look = save(at_work, "look", card_name="Morning", card_color="#0E5A4A", logo_file=None)
    assert look.location == f"{WIZARD}/place"
    place = save(at_work, "place", name="Bakery Street", address="1 Mill Lane", staff_name="Ada")
    assert re.search(r'<p class="secret">\d{4}</p>', place.text)
    page = at_work.get(f"{WIZARD}/launch")
    answer = at_work.post(f"{WIZARD}/launch", data=hidden(page, f"{WIZARD}/launch"))
    assert answer.location == f"{WIZARD}/launch"
    assert "Your program is open" in at_work.get(f"{WIZARD}/launch").text
    with app.app_context():
        program = the_program(ada)
        assert (program.loyalty_type, program.stamps_target, program.points_per_euro) == ("hybrid", 8, 5)
        assert (program.card_name, program.card_color, program.is_active) == ("Morning", "#0E5A4A", True)
        assert db.session.scalars(sa.select(Reward.name)).all() == ["Croissant"]
        assert db.session.scalars(sa.select(Store.name)).all() == ["Bakery Street"]
        assert db.session.scalars(sa.select(StaffPin.role)).all() == ["manager"]


def test_it_takes_every_step_as_it_is_proposed(at_work: FlaskClient) -> None:
    for step, after in pairwise(STEPS):
        assert save(at_work, step, logo_file=None).location == f"{WIZARD}/{after}"
    page = at_work.get(f"{WIZARD}/launch").text
    assert "Nobody has a PIN yet, and the till asks for one." in page
    assert "Open the program" in page


def test_it_comes_back_to_the_step_where_somebody_left(app: Flask, at_work: FlaskClient, ada: Office) -> None:
    save(at_work, "kind", loyalty_type="points")
    save(at_work, "rule", points_per_euro="3")
    assert at_work.get(WIZARD).location == f"{WIZARD}/look"
    # Back loses nothing, and moves nobody back.
    assert 'name="points_per_euro" type="text" value="3"' in at_work.get(f"{WIZARD}/rule").text
    save(at_work, "kind", loyalty_type="stamps")
    assert at_work.get(WIZARD).location == f"{WIZARD}/look"
    assert f'href="{WIZARD}"' in at_work.get("/office").text
    with app.app_context():
        assert the_program(ada).points_per_euro == 3


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("stamps", {"stamps_target", "stamps_reward_description", "cooldown_minutes", "max_daily_stamps"}),
        ("points", {"points_per_euro", "reward_name", "reward_points", "points_expiration_days"}),
        ("hybrid", {"stamps_target", "stamps_reward_description", "points_per_euro", "reward_name", "reward_points"}),
    ],
    ids=["stamps", "points", "hybrid"],
)
def test_it_asks_at_most_five_things_about_the_rule(at_work: FlaskClient, kind: str, asked: set[str]) -> None:
    save(at_work, "kind", loyalty_type=kind)
    own = {"csrf_token", "key", "step", "as", "state"}
    assert fields(at_work.get(f"{WIZARD}/rule")).keys() - own == asked


@pytest.mark.parametrize(
    ("step", "changes", "sentence"),
    [
        ("kind", {"loyalty_type": "miles"}, "Choose one of the list."),
        ("kind", {"loyalty_type": None}, "Choose one of the list."),
        ("rule", {"stamps_target": "200"}, "Enter a whole number from 1 to 100."),
        ("rule", {"stamps_reward_description": ""}, "Enter a text."),
        ("rule", {"key": "short"}, "This page is too old."),
        ("look", {"card_color": "green"}, "A colour has six hexadecimal digits"),
        ("place", {"name": ""}, "Enter a text."),
        ("place", {"staff_name": "a" * 121}, "Use at most 120 characters."),
        ("place", {"staff_name": "Ben", "staff_role": "king"}, "Choose one of the list."),
    ],
    ids=["kind", "no kind", "target", "reward", "key", "colour", "store", "long name", "role"],
)
def test_it_says_what_is_wrong_and_keeps_what_was_typed(
    app: Flask, at_work: FlaskClient, ada: Office, step: str, changes: dict[str, str | None], sentence: str
) -> None:
    answer = save(at_work, step, **{"logo_file": None, **changes})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "<title>Error: " in answer.text
    typed = {
        name: value for name, value in changes.items() if value and name not in ("key", "loyalty_type", "staff_role")
    }
    assert typed.items() <= fields(answer).items()
    with app.app_context():
        assert onboarding_steps.get_progress(actor=ada.actor).step == "kind"
        assert db.session.scalar(sa.select(sa.func.count()).select_from(StaffPin)) == 0


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"reward_name": "Cake", "reward_points": ""}, "reward_points"),
        ({"reward_name": "", "reward_points": "50"}, "reward_name"),
        ({"reward_name": "", "reward_points": "many"}, "reward_points"),
        ({"reward_name": "Cake", "reward_points": "0"}, "reward_points"),
    ],
    ids=["no price", "no name", "no number", "for nothing"],
)
def test_it_wants_a_reward_whole_or_not_at_all(
    app: Flask, at_work: FlaskClient, said: dict[str, str], wrong: str
) -> None:
    save(at_work, "kind", loyalty_type="points")
    answer = save(at_work, "rule", **said)
    assert answer.status_code == 422
    assert f'id="{wrong}-error"' in answer.text
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Reward)) == 0
    assert save(at_work, "rule").location == f"{WIZARD}/look"


def test_it_changes_the_first_reward_when_somebody_goes_back(app: Flask, at_work: FlaskClient, ada: Office) -> None:
    save(at_work, "kind", loyalty_type="points")
    save(at_work, "rule", reward_name="Cake", reward_points="50")
    with app.app_context():
        rewards.create(actor=ada.actor, details={"name": "Loaf", "points_required": 90}, key=key_of(ada))
    save(at_work, "rule", reward_name="Tart", reward_points="60")
    with app.app_context():
        found = sa.select(Reward.name, Reward.points_required).order_by(Reward.sort_order)
        assert [tuple(row) for row in db.session.execute(found)] == [("Tart", 60), ("Loaf", 90)]


def test_two_taps_are_one(app: Flask, at_work: FlaskClient) -> None:
    page = at_work.get(f"{WIZARD}/place")
    said = {"name": "Bakery Street", "staff_name": "Ben", "staff_role": "staff"}
    first = send(at_work, f"{WIZARD}/place", page, said)
    again = send(at_work, f"{WIZARD}/place", page, said)
    assert 'class="secret"' in first.text
    assert 'class="secret"' not in again.text
    assert "The PIN of Ben was shown before" in again.text
    with app.app_context():
        assert db.session.scalars(sa.select(StaffPin.name)).all() == ["Ben"]
    save(at_work, "kind", loyalty_type="points")
    page = at_work.get(f"{WIZARD}/rule")
    for _ in range(2):
        send(at_work, f"{WIZARD}/rule", page, {"reward_name": "Cake", "reward_points": "50"})
    with app.app_context():
        assert db.session.scalars(sa.select(Reward.name)).all() == ["Cake"]


def test_it_draws_what_is_typed_and_saves_nothing(app: Flask, at_work: FlaskClient, ada: Office) -> None:
    page = at_work.get(f"{WIZARD}/rule")
    said = {"stamps_target": "6", "stamps_reward_description": "1 free tart"}
    drawn = send(at_work, f"{WIZARD}/preview", page, said)
    assert drawn.status_code == 200
    assert 'value="6"' in drawn.text
    assert "1 free tart" in drawn.text.partition('id="wizard_preview"')[2]
    with app.app_context():
        assert the_program(ada).stamps_target == 10
    partial = at_work.post(f"{WIZARD}/preview", data={**fields(page), **said}, headers={"HX-Request": "true"})
    assert partial.text.lstrip().startswith('<section class="stack" id="wizard_preview"')


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        ("web", 'class="pass web'),
        ("apple", 'class="pass apple"'),
        ("google", 'class="pass google"'),
        ("poster", 'class="sheet a6 in-colour"'),
        ("terminal", 'class="till-view"'),
        ("nonsense", 'class="pass web'),
    ],
)
@pytest.mark.parametrize("step", STEPS)
def test_it_shows_every_side_of_the_program(at_work: FlaskClient, step: str, mode: str, seen: str) -> None:
    assert seen in at_work.get(f"{WIZARD}/{step}?as={mode}&state=full").text


def test_it_shows_a_reward_that_is_being_typed(at_work: FlaskClient) -> None:
    save(at_work, "kind", loyalty_type="points")
    page = at_work.get(f"{WIZARD}/rule?as=poster")
    said = {"reward_name": "Croissant", "reward_points": "150", "as": "poster"}
    assert "Collect points, get: Croissant" in send(at_work, f"{WIZARD}/preview", page, said).text


def test_it_changes_nothing_of_the_shop_next_door(app: Flask, at_work: FlaskClient, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
        before = programs.get(actor=mallory.actor)
    save(at_work, "kind", loyalty_type="points")
    save(at_work, "rule", reward_name="Cake", reward_points="50")
    save(at_work, "place", name="Bakery Street", staff_name="Ada")
    page = at_work.get(f"{WIZARD}/launch")
    at_work.post(f"{WIZARD}/launch", data=hidden(page, f"{WIZARD}/launch"))
    with app.app_context():
        assert programs.get(actor=mallory.actor) == before
        assert onboarding_steps.get_progress(actor=mallory.actor) == onboarding_steps.Progress("kind", False)
        assert rewards.list_all(actor=mallory.actor) == []
        assert pins.list_all(actor=mallory.actor) == []


def test_it_is_closed_to_strangers(client: FlaskClient) -> None:
    for step in STEPS:
        assert client.get(f"{WIZARD}/{step}").location == f"/office/sign-in?next={WIZARD}/{step}"
