"""Phones: registering, listing by tag, unregistering."""

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.apple_passes import passes as make_passes
from tests.phone import SERVICE, Phone
from tests.web.apple.conftest import Bakery


def rows(owner_engine: sa.Engine, query: str) -> list[tuple[object, ...]]:
    with owner_engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_it_registers_a_phone_once(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    assert [phone.register(held), phone.register(held)] == [201, 200]


def test_it_takes_the_new_token_of_a_phone_that_registers_again(bakery: Bakery, owner_engine: sa.Engine) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    phone.register(held)
    phone.push_token = "ab" * 40
    assert phone.register(held) == 200
    assert rows(owner_engine, "SELECT push_token FROM apple_devices") == [("ab" * 40,)]


def test_it_tells_of_a_change_only_where_a_phone_holds_the_pass(bakery: Bakery, owner_engine: sa.Engine) -> None:
    count = "SELECT count(*) FROM outbox WHERE kind = 'apple.push'"
    bakery.stamp()
    assert rows(owner_engine, count) == [(0,)]
    phone = bakery.phone()
    phone.register(phone.add(bakery.address))
    assert rows(owner_engine, count) == [(0,)]
    bakery.stamp()
    bakery.stamp()
    assert rows(owner_engine, count) == [(1,)]


def test_it_tells_a_phone_of_what_changed_between_download_and_registration(
    bakery: Bakery, owner_engine: sa.Engine
) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    bakery.stamp()
    phone.register(held)
    assert rows(owner_engine, "SELECT count(*) FROM outbox WHERE kind = 'apple.push'") == [(1,)]
    assert phone.wake() == [held.serial]
    assert held.stamps == "4/10"
    assert phone.wake() == []


def test_it_lists_all_passes_of_a_phone_without_a_tag_and_none_of_another(bakery: Bakery) -> None:
    phone, stranger = bakery.phone(), bakery.phone()
    _, other = bakery.another_card()
    held = [phone.add(bakery.address), phone.add(other)]
    assert [phone.register(one) for one in held] == [201, 201]
    assert sorted(phone.list_changed(held[0].pass_type)) == sorted(one.serial for one in held)
    assert phone.list_changed(held[0].pass_type) == []
    assert stranger.list_changed(held[0].pass_type) == []
    assert phone.list_changed("pass.of.somebody.else") == []


@pytest.mark.parametrize("tag", ["9" * 18, "9" * 30, "-1", "abc", "2026-11-20T12:00:00+00:00", "٣", "1.5", ""])
def test_it_lists_everything_for_a_tag_that_it_never_gave(bakery: Bakery, tag: str) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    phone.register(held)
    path = f"{SERVICE}/devices/{phone.device}/registrations/{held.pass_type}"
    answer = phone.client.get(path, query_string={"passesUpdatedSince": tag})
    assert (answer.json or {})["serialNumbers"] == [held.serial]


def test_it_forgets_a_phone_with_its_last_pass(bakery: Bakery, owner_engine: sa.Engine) -> None:
    phone = bakery.phone()
    _, other = bakery.another_card()
    held = [phone.add(bakery.address), phone.add(other)]
    for one in held:
        phone.register(one)
    assert phone.throw_away(held[0]) == 200
    assert rows(owner_engine, "SELECT count(*) FROM apple_devices") == [(1,)]
    assert phone.throw_away(held[1]) == 200
    assert rows(owner_engine, "SELECT count(*) FROM apple_devices") == [(0,)]
    phone.passes[held[1].serial] = held[1]
    assert phone.throw_away(held[1]) == 200


def wrong_proofs(phone: Phone, address: str) -> list[dict[str, str]]:
    token = phone.proof(phone.add(address))["Authorization"].partition(" ")[2]
    return [
        {},
        {"Authorization": ""},
        {"Authorization": "ApplePass"},
        {"Authorization": "ApplePass "},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"ApplePass {token}x"},
        {"Authorization": f"ApplePass {token[:-1]}"},
        {"Authorization": "ApplePass \xff\xfe"},
        {"Authorization": token},
    ]


def test_it_answers_a_wrong_token_and_an_unknown_serial_alike(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    tail = f"{held.pass_type}/{held.serial}"
    doors = [("POST", f"/devices/d/registrations/{tail}"), ("DELETE", f"/devices/d/registrations/{tail}")]
    doors += [("GET", f"/passes/{tail}"), ("HEAD", f"/passes/{tail}")]
    answers = set()
    for method, path in doors:
        for headers in wrong_proofs(phone, bakery.address):
            answers.add(refusal(phone.client, method, path, headers))
        for other in (path.replace(held.serial, "unknown"), path.replace(held.pass_type, "pass.of.mallory")):
            answers.add(refusal(phone.client, method, other, phone.proof(held)))
    assert answers == {(401, b"", None)}


def refusal(client: FlaskClient, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes, str | None]:
    answer = client.open(SERVICE + path, method=method, headers=headers, json={"pushToken": "ab"})
    return answer.status_code, answer.data, answer.headers.get("Content-Type")


@pytest.mark.parametrize("scheme", ["ApplePass", "applepass", "APPLEPASS"])
def test_it_knows_the_scheme_however_it_is_written(bakery: Bakery, scheme: str) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    path = f"{SERVICE}/devices/{phone.device}/registrations/{held.pass_type}/{held.serial}/"
    proof = phone.proof(held)["Authorization"].replace("ApplePass", scheme)
    assert phone.client.post(path, json={"pushToken": "ab"}, headers={"Authorization": proof}).status_code == 201


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"x", b'{"pushToken": 1}', b'{"pushToken": ""}', b'{"pushToken": "\\ud800"}']
)
def test_it_refuses_a_registration_without_a_token(bakery: Bakery, body: bytes) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    path = f"{SERVICE}/devices/{phone.device}/registrations/{held.pass_type}/{held.serial}"
    answer = phone.client.post(path, data=body, headers=phone.proof(held))
    assert (answer.status_code, answer.data) == (400, b"")


def test_it_answers_401_while_no_passes_are_made(client: FlaskClient) -> None:
    pass_type = make_passes().pass_type_id
    assert client.get(f"{SERVICE}/passes/{pass_type}/any").status_code == 401
    assert client.get(f"{SERVICE}/devices/d/registrations/{pass_type}").status_code == 204


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
def test_it_reads_the_token_whatever_the_body_says_it_is(bakery: Bakery, kind: str) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    path = f"{SERVICE}/devices/{phone.device}/registrations/{held.pass_type}/{held.serial}"
    headers = phone.proof(held) | {"Content-Type": kind}
    assert phone.client.post(path, data=b'{"pushToken": "ab"}', headers=headers).status_code == 201
