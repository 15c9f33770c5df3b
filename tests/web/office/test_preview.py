"""The preview of the card: as the web and both wallets show it, new, in use and full."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.domain.codes import is_scan_code
from loyalty.services import passes, programs
from loyalty.web.office import preview
from tests import apple_passes
from tests.browsing import fields, send
from tests.office import Office

HTMX = {"HX-Request": "true"}


@pytest.fixture
def making() -> Iterator[None]:
    """Apple passes are made here."""
    passes.configure(apple=apple_passes.passes())
    yield
    passes.configure(apple=None)


def drawn(page: str) -> str:
    """The picture of the card on the page."""
    found = re.search(r'<article class="pass .*?</article>', page, re.DOTALL)
    assert found
    return found.group(0)


def words(html: str) -> list[str]:
    return [text.strip() for text in re.sub(r"<[^>]*>", "\n", html).split("\n") if text.strip()]


@pytest.mark.parametrize("mode", preview.MODES)
@pytest.mark.parametrize(("state", "count"), [("0", "0/10"), ("4", "4/10"), ("full", "10/10")])
def test_it_draws_every_wallet_in_every_state(
    client: FlaskClient, ada: Office, mode: str, state: str, count: str
) -> None:
    page = client.get(f"/office/program?as={mode}&state={state}")
    card = drawn(page.text)
    assert card.startswith(f'<article class="pass {mode}"')
    assert count in words(card)
    # The code is drawn as the wallets do; the page of the card has its own place for it.
    assert ('class="qr"' in card) is (mode != "web")
    for shown in (f'id="as-{mode}"', f'id="state-{state}"'):
        link = re.search(rf"<a {shown}[^>]*>", page.text)
        assert link
        assert 'aria-current="true"' in link.group(0)
    assert page.text.count('aria-current="true"') == 2


@pytest.mark.parametrize("query", ["as=poster&state=4", "as=&state=", "as=web&state=400", "state=Full&as=apple%20"])
def test_it_shows_the_usual_where_the_address_says_nonsense(client: FlaskClient, ada: Office, query: str) -> None:
    page = client.get(f"/office/program?{query}")
    assert page.status_code == 200
    assert drawn(page.text).startswith('<article class="pass web"')
    assert "4/10" in words(drawn(page.text))


@pytest.mark.parametrize("mode", preview.MODES)
def test_it_keeps_the_view_while_somebody_types(client: FlaskClient, ada: Office, mode: str) -> None:
    page = client.get(f"/office/program?as={mode}&state=full")
    typed = {**fields(page), "stamps_target": "6", "card_color": "#ffee00"}
    partial = client.post("/office/program/preview", data=typed, headers=HTMX)
    assert drawn(partial.text).startswith(f'<article class="pass {mode}"')
    assert "6/6" in words(drawn(partial.text))
    assert "c=FFEE00" in partial.text
    whole = client.post("/office/program/preview", data=typed)
    assert drawn(whole.text) == drawn(partial.text)
    assert fields(whole)["as"] == mode


def test_it_takes_along_what_is_typed_to_another_view(client: FlaskClient, ada: Office) -> None:
    page = client.get("/office/program")
    typed = {**fields(page), "stamps_target": "6", "card_name": "Bread card"}
    link = re.search(r'<a id="as-google" href="[^"]*" hx-post="([^"]*)"', page.text)
    assert link
    partial = client.post(link.group(1).replace("&amp;", "&"), data=typed, headers=HTMX)
    assert drawn(partial.text).startswith('<article class="pass google"')
    assert {"Bread card", "2/6"} <= set(words(drawn(partial.text)))


def test_it_keeps_the_view_when_the_form_is_saved_or_refused(client: FlaskClient, ada: Office) -> None:
    page = client.get("/office/program?as=apple&state=full")
    answer = send(client, "/office/program", page, {"stamps_target": "0"})
    assert answer.status_code == 422
    assert drawn(answer.text).startswith('<article class="pass apple"')
    answer = send(client, "/office/program", page, {"stamps_target": "8"})
    assert (answer.status_code, answer.location) == (303, "/office/program?as=apple&state=full")
    assert "8/8" in words(drawn(client.get(answer.location).text))


def test_it_says_what_the_apple_pass_says(client: FlaskClient, app: Flask, ada: Office) -> None:
    send(client, "/office/program", client.get("/office/program"), {"loyalty_type": "points"})
    card = words(drawn(client.get("/office/program?as=apple&state=full").text))
    assert card[:4] == ["A", "Ada&#39;s Bakery", "Points", "300"]
    with app.app_context():
        content = programs.preview(actor=ada.actor, changes={}, share=1.0)
    assert content.points_balance == 300


def test_it_names_the_card_as_customers_see_it(client: FlaskClient, ada: Office) -> None:
    assert "Loyalty Card" in words(drawn(client.get("/office/program?as=google").text))


def test_it_shows_a_code_that_is_no_card(app: Flask, ada: Office) -> None:
    with app.app_context():
        assert not is_scan_code(programs.preview(actor=ada.actor, changes={}).scan_code)


def test_it_says_where_a_wallet_is_not_set_up(client: FlaskClient, ada: Office) -> None:
    for mode, name in (("apple", "Apple"), ("google", "Google")):
        assert f"{name} Wallet is not set up on this platform" in client.get(f"/office/program?as={mode}").text
    assert "is not set up on this platform" not in client.get("/office/program").text


def test_it_says_nothing_where_a_wallet_is_set_up(client: FlaskClient, ada: Office, making: None) -> None:
    assert "is not set up on this platform" not in client.get("/office/program?as=apple").text


@pytest.mark.parametrize("mode", ["apple", "google"])
def test_it_keeps_markup_out_of_every_view(client: FlaskClient, ada: Office, mode: str) -> None:
    changes = {"stamps_reward_description": "<script>alert(1)</script>", "card_name": "<b>card</b>"}
    send(client, "/office/program", client.get("/office/program"), changes)
    card = drawn(client.get(f"/office/program?as={mode}").text)
    assert "<script" not in card
    assert "<b>card" not in card
