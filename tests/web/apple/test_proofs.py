"""What a phone has to prove: the token of a pass, and nothing else opens it."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from tests.apple_passes import passes as make_passes
from tests.phone import SERVICE, Phone
from tests.web.apple.conftest import Bakery


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


def refusal(client: Client, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes, str | None]:
    answer = client.open(SERVICE + path, method=method, headers=headers, json={"pushToken": "ab"})
    return answer.status_code, answer.data, answer.headers.get("Content-Type")


def test_it_opens_a_pass_with_its_own_token_alone(bakery: Bakery) -> None:
    phone = bakery.phone()
    _, other = bakery.another_card()
    mine, theirs = phone.add(bakery.address), phone.add(other)
    for method, path in (("GET", "passes"), ("POST", "devices/d/registrations"), ("DELETE", "devices/d/registrations")):
        address = f"{SERVICE}/{path}/{mine.pass_type}/{theirs.serial}"
        answer = phone.client.open(address, method=method, json={"pushToken": "ab"}, headers=phone.proof(mine))
        assert answer.status_code == 401


@pytest.mark.parametrize("scheme", ["ApplePass", "applepass", "APPLEPASS"])
def test_it_knows_the_scheme_however_it_is_written(bakery: Bakery, scheme: str) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    path = f"{SERVICE}/devices/{phone.device}/registrations/{held.pass_type}/{held.serial}/"
    proof = phone.proof(held)["Authorization"].replace("ApplePass", scheme)
    assert phone.client.post(path, json={"pushToken": "ab"}, headers={"Authorization": proof}).status_code == 201


def test_it_looks_at_no_body_before_the_proof(bakery: Bakery) -> None:
    held = bakery.phone().add(bakery.address)
    path = f"{SERVICE}/devices/d/registrations/{held.pass_type}/{held.serial}"
    for body in (b"", b"nonsense", b"x" * 200_000):
        assert bakery.app.test_client().post(path, data=body).status_code == 401


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
