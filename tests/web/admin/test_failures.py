"""The page of failures, with and without htmx, and its buttons."""

from flask import Flask

from loyalty.database import db
from loyalty.models.outbox import OutboxMessage
from tests.browsing import hidden, sign_in
from tests.factories import make_shop
from tests.office import make_bakery
from tests.outbox_rows import make_row
from tests.web.admin.conftest import Platform

RETRY, RETRY_ALL = "/admin/failures/retries", "/admin/failures/retries/all"
HTMX = {"HX-Request": "true"}


def test_it_shows_what_fails_with_the_words_of_the_receiver(app: Flask, platform: Platform) -> None:
    with app.app_context():
        shop = make_shop("bakery")
        make_row(vendor_id=shop.vendor_id, attempts=8, gave_up=True, error="403 The issuer is not approved.")
        make_row(kind="mail.card_link", attempts=2, error="451 <cleo@example.org> later")
        make_row(kind="new.kind", attempts=1, error="no")
    page = platform.client.get("/admin/failures").text
    for words in ("Card at Google Wallet", "Bakery", "403 The issuer is not approved.", "Given up", "new.kind"):
        assert words in page
    assert "cleo@example.org" not in page
    assert "Retry all of this kind" not in page


def test_it_shows_one_kind(app: Flask, platform: Platform) -> None:
    with app.app_context():
        make_row(kind="apple.push", error="one of Apple")
        make_row(kind="google.object", error="one of Google")
    page = platform.client.get("/admin/failures?kind=apple.push").text
    assert "one of Apple" in page
    assert "one of Google" not in page
    assert "Retry all of this kind" in page
    assert "Nothing of this kind fails." in platform.client.get("/admin/failures?kind=nonsense").text


def test_it_says_where_nothing_fails(platform: Platform) -> None:
    page = platform.client.get("/admin/failures").text
    assert "Nothing fails." in page
    assert "No pass waits for an update." in page


def test_it_pages(app: Flask, platform: Platform) -> None:
    with app.app_context():
        made = {make_row(error=f"no {number}!"): f"no {number}!" for number in range(51)}
    # By their ids: rows of the same millisecond are in no other order.
    oldest, second, *_, newest = sorted(made)
    page = platform.client.get("/admin/failures").text
    assert made[newest] in page
    assert made[oldest] not in page
    assert f"before={second}" in page
    assert made[oldest] in platform.client.get(f"/admin/failures?before={second}").text
    assert platform.client.get("/admin/failures?before=nonsense").status_code == 200  # the first page


def test_it_tries_one_again_and_survives_a_second_tap(app: Flask, platform: Platform) -> None:
    with app.app_context():
        message_id = make_row(gave_up=True, error="no")
        other = make_row(gave_up=True, error="no")
    form = hidden(platform.client.get("/admin/failures"), RETRY)
    for _ in range(2):
        answer = platform.client.post(RETRY, data=form)
        assert (answer.status_code, answer.location) == (303, "/admin/failures")
    page = platform.client.get("/admin/failures").text
    assert "1 delivery is tried again." in page
    with app.app_context():
        states = {row: db.session.get_one(OutboxMessage, row).gave_up_at is None for row in (message_id, other)}
    assert sorted(states.values()) == [False, True]


def test_it_tries_all_of_a_kind_again(app: Flask, platform: Platform) -> None:
    with app.app_context():
        for _ in range(3):
            make_row(kind="apple.push", gave_up=True, error="no")
    form = hidden(platform.client.get("/admin/failures?kind=apple.push"), RETRY_ALL)
    assert platform.client.post(RETRY_ALL, data=form).status_code == 303
    page = platform.client.get("/admin/failures").text
    assert "3 deliveries are tried again." in page
    assert "Nothing fails." in page


def test_it_says_when_there_is_nothing_left(app: Flask, platform: Platform) -> None:
    with app.app_context():
        make_row(kind="apple.push", error="no")
    form = hidden(platform.client.get("/admin/failures?kind=apple.push"), RETRY_ALL)
    assert platform.client.post(RETRY_ALL, data={**form, "kind": "google.class"}).status_code == 303
    assert "There is nothing to try again" in platform.client.get("/admin/failures").text


def test_it_refuses_nonsense(app: Flask, platform: Platform) -> None:
    with app.app_context():
        make_row(error="no")
    form = hidden(platform.client.get("/admin/failures"), RETRY)
    for wrong in ("", "nonsense", "0190a000-0000-7000-8000-000000000000"):
        assert platform.client.post(RETRY, data={**form, "message_id": wrong}).status_code == 404
    assert platform.client.post(RETRY, data={**form, "key": "short"}).status_code == 422
    assert platform.client.post(RETRY, data={**form, "csrf_token": ""}).status_code == 400


def test_it_refuses_the_owner_of_a_shop(app: Flask, platform: Platform) -> None:
    with app.app_context():
        ada = make_bakery()
        make_row(vendor_id=ada.vendor_id, gave_up=True, error="no")
    form = hidden(platform.client.get("/admin/failures"), RETRY)
    stranger = app.test_client()
    sign_in(stranger, ada)
    token = hidden(stranger.get("/office/settings"))
    answer = stranger.post(RETRY, data={**form, "csrf_token": token["csrf_token"]})
    assert answer.status_code == 403
    assert 'href="/admin"' not in answer.text


def test_it_watches_a_change_on_its_way_into_the_phones(app: Flask, platform: Platform) -> None:
    with app.app_context():
        shop = make_shop("bakery")
        for _ in range(1240):
            make_row(vendor_id=shop.vendor_id, kind="apple.push")
    assert 'data-label="To go">1,240<' in platform.client.get("/admin/failures").text
    part = platform.client.get("/admin/failures/waiting", headers=HTMX)
    assert part.text.lstrip().startswith('<section class="stack" id="waiting">')
    assert "1,240" in part.text
    assert platform.client.get("/admin/failures/waiting").location == "/admin/failures"
