"""Phones: registering, listing by tag, unregistering."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from config import Config
from loyalty.services import apple_devices
from tests.phone import SERVICE, Phone
from tests.web.apple.conftest import Bakery
from tests.web.test_limits import limited


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


def test_it_lists_every_pass_that_changed_and_not_only_the_newest(bakery: Bakery) -> None:
    phone = bakery.phone()
    other, address = bakery.another_card()
    held = [phone.add(bakery.address), phone.add(address)]
    for one in held:
        phone.register(one)
    phone.list_changed(held[0].pass_type)
    for card in (None, other, None):
        bakery.stamp(card=card)
        with bakery.app.app_context():
            apple_devices.prepare_push(card_id=(card or bakery.card).card_id)
    assert sorted(phone.wake()) == sorted(one.serial for one in held)
    assert [one.stamps for one in held] == ["5/10", "1/10"]
    assert phone.wake() == []


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"x", b'{"pushToken": 1}', b'{"pushToken": ""}', b'{"pushToken": "\\ud800"}']
)
def test_it_refuses_a_registration_without_a_token(bakery: Bakery, body: bytes) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    path = f"{SERVICE}/devices/{phone.device}/registrations/{held.pass_type}/{held.serial}"
    answer = phone.client.post(path, data=body, headers=phone.proof(held))
    assert (answer.status_code, answer.data) == (400, b"")


@pytest.mark.parametrize(("length", "status"), [(4096, 201), (4097, 413), (250_000, 413), (300_000, 413)])
def test_it_reads_no_more_of_a_registration_than_a_phone_sends(bakery: Bakery, length: int, status: int) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    path = f"{SERVICE}/devices/{phone.device}/registrations/{held.pass_type}/{held.serial}"
    body = b'{"pushToken": "ab"}'
    answer = phone.client.post(path, data=body + b" " * (length - len(body)), headers=phone.proof(held))
    assert (answer.status_code, answer.data) == (status, b"")


@pytest.mark.parametrize(
    ("device", "push_token", "status"),
    [
        ("d" * 200, "a" * 512, 201),
        ("d" * 201, "ab", 400),
        ("d", "a" * 513, 400),
        ("d%0Ax", "ab", 400),
        ("é", "ab", 400),
    ],
)
def test_it_bounds_what_a_phone_calls_itself(bakery: Bakery, device: str, push_token: str, status: int) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    path = f"{SERVICE}/devices/{device}/registrations/{held.pass_type}/{held.serial}"
    answer = phone.client.post(path, json={"pushToken": push_token}, headers=phone.proof(held))
    assert answer.status_code == status


def test_it_answers_without_the_kind_of_a_body_that_is_not_there(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    path = f"{SERVICE}/devices/{phone.device}/registrations/{held.pass_type}"
    answers = [
        phone.client.get(path),
        phone.client.post(f"{path}/{held.serial}", json={"pushToken": "ab"}, headers=phone.proof(held)),
        phone.client.delete(f"{path}/{held.serial}", headers=phone.proof(held)),
        phone.client.delete(f"{path}/{held.serial}", headers=phone.proof(held)),
    ]
    assert [(answer.status_code, answer.data) for answer in answers] == [(204, b""), (201, b""), (200, b""), (200, b"")]
    assert not [answer for answer in answers if "Content-Type" in answer.headers or "Set-Cookie" in answer.headers]


def test_it_lists_as_json_with_a_tag_that_is_text(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    phone.register(held)
    answer = phone.client.get(f"{SERVICE}/devices/{phone.device}/registrations/{held.pass_type}")
    assert answer.content_type == "application/json"
    assert answer.json is not None
    assert set(answer.json) == {"serialNumbers", "lastUpdated"}
    assert isinstance(answer.json["lastUpdated"], str)
    assert answer.json["lastUpdated"].isdecimal()


def test_it_registers_a_phone_that_asks_many_times_at_once(bakery: Bakery, owner_engine: sa.Engine) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    begin = threading.Barrier(8)

    def register(number: int) -> int:
        other = Phone(bakery.app.test_client(), device=phone.device, push_token=f"{number}ab")
        begin.wait()
        return other.register(held)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(register, range(8))) == [200] * 7 + [201]
    counts = "SELECT (SELECT count(*) FROM apple_devices), (SELECT count(*) FROM apple_device_registrations)"
    assert rows(owner_engine, counts) == [(1, 1)]


def test_it_takes_hundreds_of_names_of_one_phone_and_pushes_once(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    for number in range(120):
        phone.device = f"name-{number}"
        assert phone.register(held) == 201
    bakery.stamp()
    with bakery.app.app_context():
        push = apple_devices.prepare_push(card_id=bakery.card.card_id)
    assert push is not None
    assert push.tokens == [phone.push_token]


LIMITED = {
    "log": (("POST", "/log"), 10),
    "list": (("GET", "/devices/the-same-phone/registrations/pass.example.loyalty"), 120),
}


@pytest.mark.parametrize("name", LIMITED)
def test_it_serves_a_stranger_so_often_a_minute(config: Config, name: str) -> None:
    (method, path), most = LIMITED[name]
    with limited(config) as app:
        client = app.test_client()
        statuses = [client.open(SERVICE + path, method=method, json={"logs": []}).status_code for _ in range(most + 6)]
        refused = client.open(SERVICE + path, method=method, json={"logs": []})
    assert most <= statuses.index(429) <= most + 3
    assert (refused.status_code, refused.data) == (429, b"")
    assert 1 <= int(refused.headers["Retry-After"]) <= 61


def test_it_counts_each_phone_and_each_address_by_itself(config: Config) -> None:
    with limited(config) as app:
        client = app.test_client()

        def ask(device: str, address: str) -> int:
            path = f"{SERVICE}/devices/{device}/registrations/pass.example.loyalty"
            return client.get(path, environ_overrides={"REMOTE_ADDR": address}).status_code

        asked = [ask("one-phone", f"192.0.2.{number}") for number in range(126)]
        assert asked.count(429) >= 1
        # The phone is refused wherever it asks from, another one at the same address is not.
        assert ask("one-phone", "198.51.100.1") == 429
        assert ask("another", "192.0.2.1") == 204
        by_one = [ask(f"phone-{number}", "203.0.113.7") for number in range(620)]
        assert 600 <= by_one.index(429) <= 615
