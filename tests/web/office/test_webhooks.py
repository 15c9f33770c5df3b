"""Webhooks in the office: a secret that is shown once, the log with body and answer, and nobody but the owner."""

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from loyalty.database import db, transaction
from loyalty.domain.values import Role
from loyalty.domain.webhooks import Answer
from loyalty.models.webhooks import WebhookDelivery, WebhookEndpoint
from loyalty.services import webhook_deliveries, webhook_sending, webhooks
from loyalty.services.webhooks import EndpointRow
from tests.browsing import fields, hidden, send, sign_in
from tests.office import Office, key_of, make_butcher, make_office

URL = "https://hooks.bakery.example/in"
PAGE = "/office/webhooks"


def rows(app: Flask, office: Office) -> list[EndpointRow]:
    with app.app_context():
        return webhooks.list_all(actor=office.actor)


def add(app: Flask, office: Office, url: str = URL) -> UUID:
    """Add an endpoint, and a message to it."""
    with app.app_context():
        details = {"url": url, "events": ["reward.ready"]}
        made = webhooks.create(actor=office.actor, details=details, key=key_of(office))
        webhooks.send_test(actor=office.actor, endpoint_id=made.endpoint_id, key=key_of(office))
    return made.endpoint_id


def answer(app: Flask, office: Office, endpoint_id: UUID, *, status: int, text: str) -> UUID:
    """Let the endpoint have answered its message."""
    with app.app_context():
        delivery_id = webhook_deliveries.list_page(actor=office.actor, endpoint_id=endpoint_id).rows[0].delivery_id
        at = datetime.now(UTC)
        outgoing = webhook_sending.start(delivery_id=delivery_id, at=at)
        assert isinstance(outgoing, webhook_sending.Outgoing)
        webhook_sending.record(outgoing=outgoing, answer=Answer(status, 42, text), at=at)
    return delivery_id


def secrets(page: TestResponse) -> list[str]:
    return re.findall(r'<p class="secret long">(whsec_[A-Za-z0-9+/=]{44})</p>', page.text)


def press(client: FlaskClient, endpoint_id: UUID, button: str) -> TestResponse:
    """Press a button of an endpoint's page."""
    path = f"{PAGE}/{endpoint_id}/{button}"
    page = client.get(f"{PAGE}/{endpoint_id}")
    return client.post(path, data=hidden(page, path))


def test_it_adds_a_webhook_and_shows_its_secret_once(client: FlaskClient, app: Flask, ada: Office) -> None:
    page = client.get(PAGE)
    data = MultiDict([*hidden(page).items(), ("url", URL), ("events", "reward.ready"), ("events", "card.created")])
    first, second = (client.post(PAGE, data=data) for _ in range(2))
    assert (first.status_code, len(secrets(first))) == (200, 1)
    assert (secrets(second), "This secret was shown before" in second.text) == ([], True)
    (row,) = rows(app, ada)
    assert (row.url, row.events, row.state) == (URL, ["card.created", "reward.ready"], "active")
    assert secrets(client.get(f"{PAGE}/{row.endpoint_id}")) == []


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"url": "http://hooks.example/", "events": "reward.ready"}, "url"),
        ({"url": "https://192.168.1.7/", "events": "reward.ready"}, "url"),
        ({"url": "", "events": "reward.ready"}, "url"),
        ({"url": URL}, "events"),
        ({"url": URL, "events": "card.lost"}, "events"),
    ],
    ids=["unencrypted", "private", "empty", "nothing", "unknown"],
)
def test_it_says_beside_the_field_what_is_wrong(
    client: FlaskClient, app: Flask, ada: Office, typed: dict[str, str], wrong: str
) -> None:
    refused = client.post(PAGE, data=hidden(client.get(PAGE)) | typed)
    assert (refused.status_code, f'id="{wrong}-error"' in refused.text) == (422, True)
    assert fields(refused)["url"] == typed["url"]
    assert rows(app, ada) == []


def test_it_says_in_the_readers_language_that_an_address_is_too_long(
    client: FlaskClient, app: Flask, ada: Office
) -> None:
    typed = {"url": f"{URL}/{'a' * 500}", "events": "reward.ready"}
    refused = client.post(PAGE, data=hidden(client.get(f"{PAGE}?lang=de")) | typed)
    assert refused.status_code == 422
    assert "Verwenden Sie höchstens 500 Zeichen." in refused.text
    assert fields(refused)["url"] == typed["url"]
    assert rows(app, ada) == []


def test_it_keeps_what_two_tabs_have_changed(client: FlaskClient, app: Flask, ada: Office) -> None:
    path = f"{PAGE}/{add(app, ada)}"
    pages, moved = [hidden(client.get(path), path) for _ in range(2)], "https://hooks.bakery.example/moved"
    typed = [("events", "card.created"), ("events", "reward.ready")]
    assert client.post(path, data=MultiDict([*pages[0].items(), ("url", URL), *typed])).status_code == 303
    assert client.post(path, data=pages[1] | {"url": moved, "events": "reward.ready"}).status_code == 303
    (row,) = rows(app, ada)
    assert (row.url, row.events) == (moved, ["card.created", "reward.ready"])


def test_it_changes_a_webhook(client: FlaskClient, app: Flask, ada: Office) -> None:
    endpoint_id = add(app, ada)
    path = f"{PAGE}/{endpoint_id}"
    page = client.get(path)
    assert re.search(r'value="reward.ready" checked', page.text)
    key = hidden(page, path)
    done = client.post(path, data={**key, "url": f"{URL}/new", "events": "customer.erased"})
    assert done.status_code == 303
    assert [(row.url, row.events) for row in rows(app, ada)] == [(f"{URL}/new", ["customer.erased"])]
    refused = client.post(path, data={**hidden(client.get(path), path), "url": "ftp://x", "events": "customer.erased"})
    assert (refused.status_code, fields(refused)["url"]) == (422, "ftp://x")


def test_it_pauses_and_goes_on(client: FlaskClient, app: Flask, ada: Office) -> None:
    endpoint_id = add(app, ada)
    assert press(client, endpoint_id, "pause").status_code == 303
    assert [(row.state, row.paused_reason) for row in rows(app, ada)] == [("paused", "owner")]
    assert press(client, endpoint_id, "resume").status_code == 303
    assert [row.state for row in rows(app, ada)] == ["active"]


def test_it_makes_another_secret_and_ends_the_old_one(client: FlaskClient, app: Flask, ada: Office) -> None:
    endpoint_id = add(app, ada)
    assert len(secrets(press(client, endpoint_id, "secret"))) == 1
    assert rows(app, ada)[0].old_secret_until is not None
    assert "The old secret works until" in client.get(f"{PAGE}/{endpoint_id}").text
    assert press(client, endpoint_id, "secret/end").status_code == 303
    assert rows(app, ada)[0].old_secret_until is None


def test_it_shows_body_and_answer_and_sends_again(client: FlaskClient, app: Flask, ada: Office) -> None:
    endpoint_id = add(app, ada)
    delivery_id = answer(app, ada, endpoint_id, status=200, text="<b>thanks</b>")
    page = client.get(f"{PAGE}/{endpoint_id}")
    assert "&lt;b&gt;thanks&lt;/b&gt;" in page.text
    assert "event_id" in page.text
    assert "Delivered" in page.text
    path = f"{PAGE}/deliveries/{delivery_id}/replay"
    for _ in range(2):
        assert client.post(path, data=hidden(page, path)).status_code == 303
    assert rows(app, ada)[0].waiting == 1


def test_it_sends_all_again_that_failed(client: FlaskClient, app: Flask, ada: Office) -> None:
    endpoint_id = add(app, ada)
    delivery_id = answer(app, ada, endpoint_id, status=500, text="oh")
    with app.app_context():
        webhook_sending.record_gave_up(delivery_id=delivery_id, error="answered 500")
    assert rows(app, ada)[0].failed == 1
    path = f"{PAGE}/{endpoint_id}"
    assert "Nothing here yet." in client.get(f"{path}?state=delivered").text
    page = client.get(f"{path}?state=failed&before=nonsense")
    done = client.post(f"{path}/replay", data=hidden(page, f"{path}/replay") | {"days": "7"}, follow_redirects=True)
    assert "1 message is sent again." in done.text
    assert (rows(app, ada)[0].failed, rows(app, ada)[0].waiting) == (0, 1)


def test_it_says_why_nobody_answered(client: FlaskClient, app: Flask, ada: Office) -> None:
    """Also where an earlier release has written it down."""
    endpoint_id = add(app, ada)
    for error, said in {
        "No answer within 5 seconds.": "No answer within 5 seconds.",
        "ConnectionRefusedError: [Errno 111] Connection refused": "The connection was refused: nobody listens there.",
        "Something <else>": "Something &lt;else&gt;",
    }.items():
        with app.app_context(), transaction():
            tried = {"attempted_at": datetime.now(UTC), "duration_ms": 5003, "error": error}
            db.session.execute(sa.update(WebhookDelivery).values(state="failed", status=None, **tried))
        page = client.get(f"{PAGE}/{endpoint_id}")
        assert f"<p>{said}</p>" in page.text
        assert "for 5,003 ms" in page.text


def test_it_sends_a_test(client: FlaskClient, app: Flask, ada: Office) -> None:
    endpoint_id = add(app, ada)
    assert press(client, endpoint_id, "test").status_code == 303
    with app.app_context():
        count = sa.select(sa.func.count()).select_from(WebhookDelivery)
        with transaction():
            assert db.session.scalar(count) == 2


def test_it_shows_on_the_first_page_what_was_paused_for_want_of_an_answer(
    client: FlaskClient, app: Flask, ada: Office
) -> None:
    endpoint_id = add(app, ada)
    words = "was paused, because your software did not take the messages"
    assert words not in client.get("/office").text
    answer(app, ada, endpoint_id, status=410, text="")
    assert words in client.get("/office").text
    assert words in client.get(f"{PAGE}/{endpoint_id}").text
    press(client, endpoint_id, "resume")
    assert words not in client.get("/office").text


def test_it_removes_a_webhook_after_asking(client: FlaskClient, app: Flask, ada: Office) -> None:
    endpoint_id = add(app, ada)
    path = f"{PAGE}/{endpoint_id}/remove"
    page = client.get(path)
    assert f"Remove the webhook to {URL}" in page.text
    for _ in range(2):
        assert client.post(path, data=hidden(page, path)).status_code == 303
    assert rows(app, ada) == []
    assert client.get(f"{PAGE}/{endpoint_id}").status_code == 404


def test_it_opens_to_owners_only(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        office = make_office("Bakery", "mia@bakery.example", Role.MANAGER)
    sign_in(client, office)
    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get("/office").text
    assert app.test_client().get(PAGE).status_code == 303


def test_it_does_not_find_the_webhooks_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    endpoint_id = add(app, ada)
    with app.app_context():
        mallory = make_butcher()
        delivery_id = webhook_deliveries.list_page(actor=ada.actor, endpoint_id=endpoint_id).rows[0].delivery_id
    thief = app.test_client()
    sign_in(thief, mallory)
    key = hidden(thief.get(PAGE))
    buttons = ("pause", "resume", "secret", "secret/end", "test", "replay", "remove")
    paths = [f"{PAGE}/{endpoint_id}", *(f"{PAGE}/{endpoint_id}/{button}" for button in buttons)]
    for path in (*paths, f"{PAGE}/deliveries/{delivery_id}/replay"):
        typed = {**key, "url": URL, "events": "reward.ready"}
        assert thief.post(path, data=typed).status_code == 404, path
    assert thief.get(paths[0]).status_code == 404
    assert URL not in thief.get(PAGE).text
    with app.app_context(), transaction():
        assert db.session.scalars(sa.select(WebhookEndpoint.state)).all() == ["active"]


def test_it_keeps_what_was_typed_when_the_page_is_too_old(client: FlaskClient, ada: Office) -> None:
    refused = send(client, PAGE, client.get(PAGE), {"url": URL, "events": "reward.ready", "key": "short"})
    assert (refused.status_code, fields(refused)["url"]) == (422, URL)
