"""Webhooks in a real Chromium: added with a secret that fits the page, tried, and read in the log."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from playwright.sync_api import Browser, ViewportSize, expect

from loyalty.domain.webhooks import Answer
from loyalty.services import webhook_deliveries, webhook_sending, webhooks
from tests.browser.test_office import DESK, PHONE, assert_accessible, assert_no_sideways_scroll, open_page, sign_in
from tests.office import Office, make_bakery

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def answer_all(app: Flask, office: Office, answer: Answer) -> None:
    """Let the only endpoint have answered its only message."""
    with app.app_context():
        (endpoint,) = webhooks.list_all(actor=office.actor)
        log = webhook_deliveries.list_page(actor=office.actor, endpoint_id=endpoint.endpoint_id)
        at = datetime.now(UTC)
        outgoing = webhook_sending.start(delivery_id=log.rows[0].delivery_id, at=at)
        assert isinstance(outgoing, webhook_sending.Outgoing)
        webhook_sending.record(outgoing=outgoing, answer=answer, at=at)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_adds_a_webhook_and_reads_its_log(
    app: Flask, till_browser: Browser, live: str, ada: Office, size: ViewportSize
) -> None:
    page = open_page(till_browser, live, size, color_scheme="dark" if size is PHONE else "light")
    sign_in(page, ada)
    page.goto("/office/webhooks")
    assert_accessible(page)
    page.get_by_label("Address").fill("http://hooks.bakery.example/")
    page.get_by_label("A reward is ready").check()
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.get_by_label("Address")).to_have_value("http://hooks.bakery.example/")
    expect(page.get_by_label("A reward is ready")).to_be_checked()
    assert_accessible(page)
    page.get_by_label("Address").fill("https://hooks.bakery.example/a/rather/long/path/to/the/software/of/the/shop")
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    fits = "[...document.querySelectorAll('.table')].every(each => each.scrollWidth <= each.clientWidth)"
    assert page.evaluate(fits)
    assert_no_sideways_scroll(page)
    assert_accessible(page)
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("A test is on its way.")).to_be_visible()
    answer_all(app, ada, Answer(410, 42, "<h1>Gone</h1> " + "x" * 300))
    page.reload()
    page.get_by_text("Show").first.click()
    expect(page.get_by_text("<h1>Gone</h1>")).to_be_visible()
    assert_no_sideways_scroll(page)
    assert_accessible(page)
    page.goto("/office")
    expect(page.get_by_role("heading", name="1 webhook was paused")).to_be_visible()
    assert_accessible(page)
