"""Two people change the same page at once: each keeps what they have changed."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.services import programs, rewards, stores, vendors
from tests.browsing import fields, hidden, send
from tests.office import Office, key_of

PAGES = (
    ("/office/program", {"stamps_target": "8"}, {"card_name": "Bread", "card_color": "#112233"}),
    ("/office/settings", {"ask_name": "y"}, {"name": "Ada's Bread"}),
    ("/office/stores/{store}", {"address": "1, Quai"}, {"name": "Harbour"}),
    ("/office/rewards/{reward}", {"points_required": "70"}, {"name_fr": "Gâteau"}),
    ("/office/mails/settings", {"miss_you": "y"}, {"sender_name": "Ada"}),
    ("/office/privacy", {"retention_months": "36"}, {"privacy_contact": "Ada\n1, Quai"}),
)


@pytest.mark.parametrize(("path", "first", "second"), PAGES, ids=[page for page, _, _ in PAGES])
def test_it_keeps_what_both_have_changed(
    app: Flask, client: FlaskClient, ada: Office, path: str, first: dict[str, str], second: dict[str, str]
) -> None:
    with app.app_context():
        reward = rewards.create(actor=ada.actor, details={"name": "Cake", "points_required": 50}, key=key_of(ada))
    path = path.format(store=ada.store_id, reward=reward.reward_id)
    pages = client.get(path), client.get(path)
    for page, typed in zip(pages, (first, second), strict=True):
        # As a browser sends what nobody has touched.
        untouched = {name: text.replace("\n", "\r\n").replace("#4F46E5", "#4f46e5") for name, text in own(page).items()}
        assert client.post(path, data=untouched | typed).status_code == 303
    assert {name: own(client.get(path))[name] for name in first | second} == first | second


def own(page: TestResponse) -> dict[str, str]:
    """Return what a page's form would send: a picture that nobody removes is not removed."""
    return {name: text for name, text in fields(page).items() if "file" not in name}


def test_it_takes_the_later_word_on_the_same_setting_and_what_is_sent_again(
    app: Flask, client: FlaskClient, ada: Office
) -> None:
    pages = client.get("/office/program"), client.get("/office/program")
    for page, target in zip(pages, ("8", "9"), strict=True):
        send(client, "/office/program", page, {"stamps_target": target})
    with app.app_context():
        assert programs.get(actor=ada.actor).stamps_target == 9
    # Back to the page of before, with the number that it showed first: asked again, it is what is wanted.
    asked = send(client, "/office/program", pages[1], {"stamps_target": "10"})
    assert asked.status_code == 422
    again = hidden(asked, "/office/program")
    assert client.post("/office/program", data=again).status_code == 303
    with app.app_context():
        assert programs.get(actor=ada.actor).stamps_target == 10


def test_it_changes_everything_that_a_form_without_marks_says(app: Flask, client: FlaskClient, ada: Office) -> None:
    page = client.get("/office/settings")
    send(client, "/office/settings", page, {"drawn": None, "name": "Ada's Bread"})
    with app.app_context():
        assert vendors.get_settings(actor=ada.actor).name == "Ada's Bread"
        assert [row.name for row in stores.list_all(actor=ada.actor)] == ["Main Street"]
