"""Every route, every role, the ids of the shop next door: not found, and nothing has changed.

The routes come from the URL map and the bodies from the pages, so a new view is in here as soon as it exists.
"""

import secrets

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from loyalty.domain.values import Role
from loyalty.web.access import Access
from tests import world
from tests.fingerprints import Watch
from tests.forms import Form, body
from tests.web.conftest import Street
from tests.world import Business, Door

ROLES = (
    "anonymous",
    "unpaired",
    "locked terminal",
    "staff session",
    "manager session",
    "owner",
    "manager",
    "admin",
    "acting admin",
)
REFUSED = (401, 403, 404)
# Addresses that are themselves what opens a page: a shop's public name, a secret token.
OPEN = {"vendor_code", "token", "proof"}
# Addresses that name the same thing in each shop: everybody finds their own.
OWN = {"mail_kind", "mail_locale"}


def ask(app: Flask, door: Door, rule: Rule, method: str, foreign: Business, form: Form | None) -> TestResponse:
    """Send what the page next door would send: its ids in the address and in the body, with a token of one's own."""
    path = world.address(app, rule, foreign.ids)
    if method == "GET":
        return door.client.get(path)
    filled = body(foreign, form, csrf_token=world.csrf(app, door.client), key=secrets.token_hex(12))
    return door.client.open(path, method=method, data=filled)


def is_refused(answer: TestResponse) -> bool:
    """Whether somebody was turned away, if only to where one signs in."""
    to_sign_in = answer.status_code == 303 and "/sign-in" in answer.headers["Location"]
    # Who has no shop yet is asked for one, the platform's admin too.
    to_choose = answer.status_code == 303 and answer.headers["Location"] == "/office/shops"
    return answer.status_code in REFUSED or to_sign_in or to_choose


@pytest.mark.parametrize("htmx", [False, True], ids=["browser", "htmx"])
@pytest.mark.parametrize("role", ROLES)
def test_it_opens_nothing_of_the_shop_next_door(
    app: Flask, street: Street, owner_engine: sa.Engine, role: str, htmx: bool
) -> None:
    bakery, meat = street.bakery, street.meat
    wrong: list[str] = []
    changed, watch = True, None
    for rule, method, access in world.routes(app):
        door = world.door(app, meat, role)
        if htmx:
            door.client.environ_base["HTTP_HX_REQUEST"] = "true"
        everything = is_guarded(door, rule, access)
        may_change = opens_by_address(rule, access) or (access.role is Role.ADMIN and door.platform)
        whose = None if everything else bakery.shop.vendor_id
        if watch and (may_change or watch.of != whose):
            wrong += watch.changes()
            watch = None
        if changed:
            # The request before was let in, and may have closed what this one needs.
            with app.app_context():
                world.reopen(meat)
        if not (watch or may_change):
            # One look before and one after whatever is asked in a row, none of which may change anything.
            watch = Watch(owner_engine, whose)
        answer = ask(app, door, rule, method, bakery, street.forms.get(rule.endpoint))
        case = f"{method} {rule.rule} -> {answer.status_code}"
        wrong += [f"{case}: {problem}" for problem in problems(door, rule, access, answer, bakery)]
        if watch:
            watch.asked.append(case)
        changed = may_change or not everything
    wrong += watch.changes() if watch else []
    assert not wrong, "\n".join(wrong)


def opens_by_address(rule: Rule, access: Access) -> bool:
    """Whether this is a page for everybody who has its address."""
    return access.role is None and not access.paired and bool(world.arguments(rule)) and world.arguments(rule) <= OPEN


def is_guarded(door: Door, rule: Rule, access: Access) -> bool:
    """Whether nothing at all may come of it: the role may not enter, or the address names somebody else's thing."""
    return not world.may_enter(door, rule, access) or bool(world.arguments(rule) - OWN)


def problems(door: Door, rule: Rule, access: Access, answer: TestResponse, foreign: Business) -> list[str]:
    """Say what is wrong with an answer."""
    if opens_by_address(rule, access):
        return ["failed"] if answer.status_code >= 500 else []
    found = [f"shows {word!r}" for word in foreign.words if word in answer.get_data().decode(errors="replace")]
    # The way to the sign-in repeats the address that was asked for.
    location = answer.headers.get("Location", "").split("?")[0]
    if any(f"/{name}" in location for name in foreign.ids.values()):
        found.append("leads next door")
    if answer.status_code >= 500:
        found.append("failed")
    may_enter = world.may_enter(door, rule, access)
    if not may_enter and not is_refused(answer):
        found.append("let in")
    if access.role is Role.ADMIN and may_enter:
        # Every shop is one of the platform's: a page about one names its stores, lists of all of them do not.
        about_one = "vendor_id" in world.arguments(rule)
        return [
            problem
            for problem in found
            if problem != "leads next door" and not (about_one and problem.startswith("shows"))
        ]
    if (
        may_enter
        and world.arguments(rule) - OWN
        and answer.status_code not in (REFUSED if access.role is None else (404,))
    ):
        found.append("found what is not theirs")
    return found


def test_it_shows_everything_to_whom_it_belongs(app: Flask) -> None:
    """The control: the ids of the matrix are real, so its 404 are not those of addresses that nobody could open."""
    with app.app_context():
        bakery = world.make_business("bakery")
    doors = world.doors(app, bakery)
    missing = []
    for rule, method, access in world.routes(app):
        if method != "GET" or not world.arguments(rule) - {"token", *world.NAMES}:
            continue
        for name in ("manager session", "owner"):
            door = doors[name]
            if world.may_enter(door, rule, access):
                answer = door.client.get(world.address(app, rule, bakery.ids))
                missing += [f"{name}: {rule.rule} -> {answer.status_code}"] * (answer.status_code >= 400)
    assert missing == []


def test_it_finds_the_forms_of_most_posts(app: Flask, street: Street) -> None:
    posts = {rule.endpoint for rule, method, _ in world.routes(app) if method == "POST"}
    assert len(street.forms) >= len(posts) * 2 // 3
