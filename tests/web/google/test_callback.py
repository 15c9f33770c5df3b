"""The callback's door: genuine messages in, everything else out, always a bare status."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.adapters.google_api import GoogleApi
from loyalty.adapters.google_keys import fetch_keys
from loyalty.database import db, transaction
from loyalty.jobs import google as google_jobs
from loyalty.models.google import GoogleNonce
from loyalty.services import google_passes
from loyalty.wallets.google_keys import RootKeys
from tests import google_signer
from tests.factories import Card, Shop, make_card, make_shop
from tests.google_cards import make_api
from tests.google_fake import GoogleFake
from tests.google_platform import object_id, row_of, save, told

ADDRESS = "/api/v1/loyalty/google/callback"
SEED = 20261120
REQUESTS = 5_000


@pytest.fixture
def api(google: GoogleFake) -> GoogleApi:
    return make_api(google)


@pytest.fixture
def bakery(app: Flask, google: GoogleFake) -> Shop:
    with app.app_context():
        return make_shop()


@pytest.fixture
def cleo(app: Flask, bakery: Shop) -> Card:
    with app.app_context():
        card = make_card(bakery)
        save(card)
    return card


def saved_at(app: Flask, card: Card) -> datetime | None:
    with app.app_context():
        return row_of(card.card_id).google_saved_at


def test_it_takes_a_genuine_message_without_token_or_session(
    app: Flask, client: FlaskClient, bakery: Shop, cleo: Card
) -> None:
    answer = client.post(ADDRESS, data=told(bakery, cleo, event="del"), content_type="application/json")
    assert (answer.status_code, answer.data) == (200, b"")
    assert saved_at(app, cleo) is None
    answer = client.post(ADDRESS, data=told(bakery, cleo), content_type="text/plain")
    assert answer.status_code == 200
    assert saved_at(app, cleo) is not None


def test_it_answers_a_repetition_like_the_first_without_its_effect(
    app: Flask, client: FlaskClient, bakery: Shop, cleo: Card
) -> None:
    gone, back = told(bakery, cleo, event="del"), told(bakery, cleo)
    assert [client.post(ADDRESS, data=body).status_code for body in (gone, back, gone, gone)] == [200] * 4
    assert saved_at(app, cleo) is not None


def test_it_takes_what_names_no_card_of_ours_without_effect(client: FlaskClient, bakery: Shop, cleo: Card) -> None:
    body = told(bakery, cleo, object_id=f"{google_signer.ISSUER}.card-unknown")
    assert client.post(ADDRESS, data=body).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[" * 10_000, b"\xff\xfe", b"{" + b" " * 20_000 + b"}"])
def test_it_calls_nonsense_malformed(client: FlaskClient, google: GoogleFake, body: bytes) -> None:
    answer = client.post(ADDRESS, data=body, content_type="application/json")
    assert (answer.status_code, answer.data) == (400, b"")


def test_it_does_not_read_what_is_far_too_long(client: FlaskClient, google: GoogleFake) -> None:
    answer = client.post(ADDRESS, data=b"x" * 300_000, content_type="application/json")
    assert (answer.status_code, answer.data) == (413, b"")


def test_it_refuses_what_google_did_not_sign_for_us(app: Flask, client: FlaskClient, bakery: Shop, cleo: Card) -> None:
    at = datetime.now(UTC)
    key = google_signer.signed_key(expires_at=at + timedelta(days=7))
    message = json.loads(told(bakery, cleo, event="del"))["signedMessage"]
    forged = [
        google_signer.callback(signed_message=message, key=key, root=google_signer.OTHER_ROOT),
        google_signer.callback(signed_message=message, key=key, recipient="3388000000087654321"),
        google_signer.callback(signed_message=message, key=key, sender="Google"),
        google_signer.callback(signed_message=message, key=google_signer.signed_key(expires_at=at)),
        told(bakery, cleo, event="del", expires_at=at - timedelta(seconds=1)),
    ]
    answers = [client.post(ADDRESS, data=body) for body in forged]
    assert [(answer.status_code, answer.data) for answer in answers] == [(401, b"")] * 5
    assert saved_at(app, cleo) is not None


def test_it_asks_to_repeat_while_there_are_no_keys(
    app: Flask, client: FlaskClient, bakery: Shop, cleo: Card, google: GoogleFake, api: GoogleApi
) -> None:
    """F22: nothing is believed unverified, and once keys are there again Google's repetition counts."""
    body = told(bakery, cleo, event="del")
    google_jobs.configure(api=api, roots=RootKeys(partial(fetch_keys, "http://127.0.0.1:9/keys")))
    answer = client.post(ADDRESS, data=body)
    assert (answer.status_code, answer.data) == (503, b"")
    assert saved_at(app, cleo) is not None
    expired = google_signer.key_set(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    google.keys = expired
    google_jobs.configure(api=api, roots=RootKeys(partial(fetch_keys, google.keys_url)))
    assert client.post(ADDRESS, data=body).status_code == 503
    google.keys = google_signer.key_set()
    google_jobs.configure(api=api, roots=RootKeys(partial(fetch_keys, google.keys_url)))
    assert client.post(ADDRESS, data=body).status_code == 200
    assert saved_at(app, cleo) is None


def test_it_is_not_there_where_google_is_off(client: FlaskClient, bakery: Shop, cleo: Card) -> None:
    google_passes.configure(google=None)
    answer = client.post(ADDRESS, data=told(bakery, cleo))
    assert (answer.status_code, answer.data) == (404, b"")


def test_it_believes_none_of_thousands_of_forgeries(app: Flask, client: FlaskClient, bakery: Shop, cleo: Card) -> None:
    chance, statuses = random.Random(SEED), Counter[int]()
    genuine = [told(bakery, cleo, event=event) for event in ("save", "del")]
    with app.app_context():
        other = told(make_shop("meat"), cleo, event="del")
    spliced = spliced_bodies(genuine[1], other)
    known = {*genuine, other}
    before = saved_at(app, cleo)
    for _ in range(REQUESTS):
        body = forged(chance, chance.choice(genuine), spliced)
        if body in known:
            continue
        answer = client.post(ADDRESS, data=body, content_type=chance.choice(("application/json", "text/plain", "")))
        statuses[answer.status_code] += 1
        assert answer.data == b""
    assert set(statuses) == {400, 401}, statuses
    assert min(statuses.values()) > 100, statuses
    with app.app_context(), transaction():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(GoogleNonce)) == 0
    assert saved_at(app, cleo) == before
    assert object_id(cleo) in genuine[0].decode()


def spliced_bodies(one: bytes, two: bytes) -> list[bytes]:
    """Members of two genuine callbacks put together anew."""
    first, second = json.loads(one), json.loads(two)
    return [json.dumps({**first, name: second[name]}).encode() for name in ("signature", "signedMessage")]


def forged(chance: random.Random, body: bytes, spliced: list[bytes]) -> bytes:
    """Change a genuine callback somehow."""
    return chance.choice(list(_forgeries(chance, body, spliced)))


def _forgeries(chance: random.Random, body: bytes, spliced: list[bytes]) -> Iterator[bytes]:
    at = chance.randrange(len(body))
    yield body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1 :]
    yield body[:at] + body[at + chance.randint(1, 40) :]
    yield body[:at] + chance.randbytes(chance.randint(1, 40)) + body[at:]
    yield chance.choice(spliced)
    envelope = json.loads(body)
    name = chance.choice(sorted(envelope))
    yield json.dumps({**envelope, name: chance.choice([None, 1, [], {}, "", "x" * 300, "\ud800"])}).encode()
    signed = envelope["signedMessage"].replace(chance.choice(("card", "save", "del", "1", "program")), "2", 1)
    yield json.dumps({**envelope, "signedMessage": signed + " " * chance.randint(1, 9)}).encode()
