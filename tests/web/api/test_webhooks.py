"""Webhooks as JSON: added, watched, paused and replayed by software with a manager's key."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from docs.examples.verify_webhook import verify
from loyalty import jobs
from loyalty.adapters.webhook import WebhookSender
from loyalty.jobs import webhooks as webhook_jobs
from loyalty.services import outbox, webhooks
from tests import factories
from tests.web.api.callers import Caller
from tests.webhook_receiver import Receiver, listening

PATH = "/vendor/loyalty/webhooks"
BODY = {"url": "https://hooks.bakery.example/in", "events": ["reward.ready", "card.created"]}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as running:
        webhooks.configure(allowed=[running.place])
        webhook_jobs.configure(sender=WebhookSender(allowed=[running.place]))
        yield running
    webhooks.configure()
    webhook_jobs.configure(sender=WebhookSender())


def add(caller: Caller, **changes: Any) -> dict[str, Any]:
    answer = caller.post(PATH, BODY | changes)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json or {}
    return made


def work(app: Flask) -> None:
    with app.app_context():
        for message_id in outbox.due(limit=100):
            jobs.deliver(str(message_id))


def test_it_adds_an_endpoint_and_shows_its_secret_once(manager: Caller) -> None:
    first, second = (manager.post(PATH, BODY, key="one-key-for-both-posts") for _ in range(2))
    made, again = first.json or {}, second.json or {}
    assert (first.status_code, made["secret"][:6], made["secret_shown"]) == (201, "whsec_", False)
    assert (again["secret"], again["secret_shown"], again["endpoint_id"]) == (None, True, made["endpoint_id"])
    assert made["events"] == ["card.created", "reward.ready"]
    (listed,) = (manager.get(PATH).json or {})["items"]
    assert (listed["url"], listed["state"], "secret" in listed) == (BODY["url"], "active", False)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://hooks.example/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["card.lost"]}, "events.0"),
        ({"secret": "mine"}, "secret"),
    ],
    ids=["unencrypted", "private", "nothing", "unknown", "own secret"],
)
def test_it_says_which_field_is_wrong(manager: Caller, body: dict[str, Any], field: str) -> None:
    answer = manager.post(PATH, BODY | body)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, [field])
    assert (manager.get(PATH).json or {})["items"] == []


def test_it_is_closed_to_keys_of_tills(till: Caller, reader: Caller) -> None:
    for caller in (till, reader):
        assert caller.get(PATH).status_code == 403
        assert caller.post(PATH, BODY).status_code == 403


def test_it_changes_pauses_resumes_and_removes(manager: Caller) -> None:
    path = f"{PATH}/{add(manager)['endpoint_id']}"
    changed = manager.send("PATCH", path, {"events": ["customer.erased"]}).json or {}
    assert (changed["url"], changed["events"]) == (BODY["url"], ["customer.erased"])
    assert (manager.post(f"{path}/pause").json or {})["state"] == "paused"
    assert (manager.get(path).json or {})["paused_reason"] == "owner"
    assert (manager.post(f"{path}/resume").json or {})["state"] == "active"
    assert (manager.post(f"{path}/secret").json or {})["secret_shown"] is False
    assert (manager.get(path).json or {})["old_secret_until"] is not None
    assert manager.post(f"{path}/secret/end-old").status_code == 200
    assert (manager.get(path).json or {})["old_secret_until"] is None
    assert (manager.send("DELETE", path).json or {})["state"] == "removed"
    assert manager.get(path).status_code == 404


def test_it_delivers_a_test_and_shows_the_log_in_pages(app: Flask, manager: Caller, receiver: Receiver) -> None:
    made = add(manager, url=receiver.url)
    path = f"{PATH}/{made['endpoint_id']}"
    for _ in range(3):
        assert manager.post(f"{path}/test").status_code == 200
    work(app)
    got = receiver.received[0]
    assert verify(secret=made["secret"], headers=got.headers, body=got.body)
    first = manager.get(f"{path}/deliveries", limit=2).json or {}
    rest = manager.get(f"{path}/deliveries", limit=2, cursor=first["next_cursor"]).json or {}
    log = first["items"] + rest["items"]
    assert [row["state"] for row in log] == ["delivered"] * 3
    assert (log[0]["status"], log[0]["answer"], log[0]["body"]["type"]) == (200, "thank you", "test")
    assert rest["next_cursor"] is None
    assert (manager.get(f"{path}/deliveries", state="failed").json or {})["items"] == []


def test_it_replays_one_and_all_that_failed(app: Flask, manager: Caller, receiver: Receiver) -> None:
    path = f"{PATH}/{add(manager, url=receiver.url)['endpoint_id']}"
    manager.post(f"{path}/test")
    work(app)
    (row,) = (manager.get(f"{path}/deliveries").json or {})["items"]
    assert (manager.post(f"{PATH}/deliveries/{row['delivery_id']}/replay").json or {})["count"] == 1
    work(app)
    assert [got.headers["webhook-id"] for got in receiver.received] == [row["event_id"]] * 2
    since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert (manager.post(f"{path}/replay", {"since": since}).json or {})["count"] == 0
    assert manager.post(f"{path}/replay", {"since": "2026-11-20T14:00:00"}).status_code == 422


def test_it_finds_nothing_next_door(app: Flask, manager: Caller) -> None:
    with app.app_context():
        mallory = factories.make_shop("butcher")
        made = webhooks.create(actor=mallory.ada, details=BODY, key=factories.make_key())
    path = f"{PATH}/{made.endpoint_id}"
    assert [manager.get(path).status_code, manager.get(f"{path}/deliveries").status_code] == [404, 404]
    assert manager.post(f"{path}/pause").status_code == 404
    assert manager.send("DELETE", path).status_code == 404
    assert (manager.get(PATH).json or {})["items"] == []
