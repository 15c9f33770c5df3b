"""Every form of a shop with one field that names a thing of the shop next door: nothing there is seen or changed."""

import secrets

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.domain.values import Role
from tests import world
from tests.fingerprints import fingerprint
from tests.forms import body
from tests.web.conftest import Street
from tests.world import Business

# Under which name each page takes which thing; what is drawn as an identifier is found by itself.
QUESTIONS = {
    "store": "store_id",
    "person": "staff_pin_id",
    "staff": "staff_pin_id",
    "card": "card_id",
    "reward": "reward_id",
    "endpoint": "endpoint_id",
    "vendor": "vendor_id",
    "customer": "customer_id",
}
KEPT = {"csrf_token", "key"}


@pytest.mark.parametrize("role", ["manager session", "owner"])
def test_it_takes_no_thing_of_the_shop_next_door_in_a_form(
    app: Flask, street: Street, owner_engine: sa.Engine, role: str
) -> None:
    bakery, meat = street.bakery, street.meat
    before = fingerprint(owner_engine, of=meat.shop.vendor_id)
    wrong: list[str] = []
    for rule, method, access in world.routes(app):
        door = world.door(app, bakery, role)
        form = street.forms.get(rule.endpoint)
        if method != "POST" or form is None or access.role is None or not world.may_enter(door, rule, access):
            continue
        for name, foreign in foreign_fields(dict(form.fields), bakery, meat):
            with app.app_context():
                world.reopen(bakery)
            filled = body(bakery, form, csrf_token=world.csrf(app, door.client), key=secrets.token_hex(12))
            answer = door.client.post(world.address(app, rule, bakery.ids), data=filled | {name: foreign})
            said, case = answer.get_data().decode(errors="replace"), f"{rule.rule} {name} -> {answer.status_code}"
            wrong += [f"{case}: shows {word!r}" for word in meat.words if word in said]
            wrong += [f"{case}: failed"] * (answer.status_code >= 500)
            after = fingerprint(owner_engine, of=meat.shop.vendor_id)
            wrong += [f"{case}: changed {table}" for table in before if before[table] != after[table]]
            before = after
    assert not wrong, "\n".join(wrong)


def foreign_fields(drawn: dict[str, str], own: Business, foreign: Business) -> list[tuple[str, str]]:
    """Return the fields of a form that name a thing, each with the same thing next door."""
    kind_of = {value: name for name, value in own.ids.items()}
    found = {name: kind_of[value] for name, value in drawn.items() if value in kind_of and name not in KEPT}
    found |= {name: kind for name, kind in QUESTIONS.items() if name in drawn}
    found |= {name: name for name in drawn if name in foreign.ids}
    return [(name, foreign.ids[kind]) for name, kind in sorted(found.items())]


@pytest.mark.parametrize("role", ["manager session", "owner", "acting admin"])
def test_it_shows_no_thing_of_the_shop_next_door_to_a_question(app: Flask, street: Street, role: str) -> None:
    bakery, meat = street.bakery, street.meat
    door, wrong = world.door(app, bakery, role), list[str]()
    asked = {name: meat.ids[kind] for name, kind in QUESTIONS.items()}
    asked |= {name: value for name, value in meat.ids.items() if name.endswith("_id")}
    for rule, method, access in world.routes(app):
        if method != "GET" or access.role in (None, Role.ADMIN) or not world.may_enter(door, rule, access):
            continue
        with app.app_context():
            world.reopen(bakery)
        answer = door.client.get(world.address(app, rule, bakery.ids), query_string=asked)
        said, case = answer.get_data().decode(errors="replace"), f"{rule.rule} -> {answer.status_code}"
        wrong += [f"{case}: shows {word!r}" for word in meat.words if word in said]
        wrong += [f"{case}: failed"] * (answer.status_code >= 500)
    assert not wrong, "\n".join(wrong)
