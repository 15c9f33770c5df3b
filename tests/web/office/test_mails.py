"""Mails in the office: own words are seen, tried out, saved and given up; wrong ones lose nothing."""

from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.domain.mails import OF_CUSTOMERS
from loyalty.domain.settings import LOCALES
from loyalty.models.mail import EmailLog, EmailTemplate
from loyalty.services import mail_settings, mail_wording
from tests.browsing import send, sign_in
from tests.mails import render_mail
from tests.office import Office, make_butcher

PAGE = "/office/mails/reward_ready/en"
WORDS = {"subject": "Come to {shop}", "body": "Your {reward} waits!\n\nSee <you> soon.\nAda"}


def kept(app: Flask) -> list[tuple[str, str, str]]:
    with app.app_context(), transaction():
        own = EmailTemplate
        query = sa.select(own.kind, own.locale, own.subject).order_by(own.kind, own.locale)
        return [(row[0], row[1], row[2]) for row in db.session.execute(query)]


def test_it_lists_every_mail_in_four_languages(client: FlaskClient, ada: Office) -> None:
    page = client.get("/office/mails").text
    for kind in OF_CUSTOMERS:
        for locale in LOCALES:
            assert f"/office/mails/{kind}/{locale}" in page


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", OF_CUSTOMERS)
def test_it_shows_our_words_as_words_that_can_be_saved(
    client: FlaskClient, app: Flask, ada: Office, kind: str, locale: str
) -> None:
    with app.app_context():
        present = mail_wording.get(actor=ada.actor, kind=kind, locale=locale)
    path = f"/office/mails/{kind}/{locale}"
    page = client.get(path)
    assert present.subject in unescape(page.text)
    answer = send(client, path, page, {"subject": present.subject, "body": present.body})
    assert answer.status_code == 303, answer.text
    assert kept(app) == [(kind, locale, present.subject)]


def test_it_saves_words_once_and_gives_them_up(client: FlaskClient, app: Flask, ada: Office) -> None:
    page = client.get(PAGE)
    for _ in range(2):
        assert send(client, PAGE, page, WORDS).status_code == 303
    assert kept(app) == [("reward_ready", "en", "Come to {shop}")]
    own = client.get(PAGE)
    assert "Come to {shop}" in own.text
    assert send(client, f"{PAGE}/reset", own, {}).status_code == 303
    assert kept(app) == []


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/test"])
@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("subject", "", "Write something here."),
        ("subject", "Hello {name}", "“{name}” is not a name that this mail can fill in."),
        ("body", "Hello {points}", "These are: {shop}, {card}, {reward}."),
        ("body", "Hello {shop", "A brace stands alone in “Hello {shop”."),
        ("body", "{{ 7 * 7 }}", "is not a name"),
    ],
)
def test_it_says_what_is_wrong_and_loses_nothing(
    client: FlaskClient, app: Flask, ada: Office, path: str, field: str, typed: str, said: str
) -> None:
    answer = send(client, path, client.get(PAGE), WORDS | {field: typed})
    assert answer.status_code == 422
    text = unescape(answer.text)
    assert said in text
    assert typed in text
    assert "See <you> soon." in text or field == "body"
    assert kept(app) == []


def test_it_shows_a_preview_that_can_do_nothing(client: FlaskClient, ada: Office) -> None:
    answer = send(client, f"{PAGE}/preview", client.get(PAGE), WORDS | {"look": "dark"})
    assert answer.status_code == 200
    assert "See &lt;you&gt; soon.<br>Ada" in answer.text
    assert "<h1" in answer.text
    assert "Your Free item waits!" in answer.text
    assert "@media all" in answer.text
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script" not in answer.headers["Content-Security-Policy"]


def test_it_shows_the_text_alone(client: FlaskClient, ada: Office) -> None:
    answer = send(client, f"{PAGE}/preview", client.get(PAGE), WORDS | {"look": "text"})
    assert "Come to Ada&#39;s Bakery" in answer.text
    assert "See &lt;you&gt; soon.\nAda" in answer.text


def test_it_says_in_the_preview_what_is_wrong(client: FlaskClient, ada: Office) -> None:
    answer = send(client, f"{PAGE}/preview", client.get(PAGE), WORDS | {"body": "{oops}"})
    assert answer.status_code == 422
    assert "{oops}" in answer.text


def test_it_sends_a_test_to_whoever_asks_and_keeps_what_was_typed(client: FlaskClient, app: Flask, ada: Office) -> None:
    page = client.get(PAGE)
    for _ in range(2):
        answer = send(client, f"{PAGE}/test", page, WORDS)
        assert answer.status_code == 200
        assert "See &lt;you&gt; soon." in answer.text
    assert kept(app) == []
    with app.app_context(), transaction():
        (mail,) = db.session.scalars(sa.select(EmailLog))
        said, mail_id = (mail.recipient, mail.kind), mail.id
    with app.app_context():
        written = render_mail(mail_id)
    assert said == (ada.email, "wording_test")
    assert written.subject == "Test: Come to Ada's Bakery"
    assert "Your Free item waits!" in written.text


@pytest.mark.parametrize(
    "path", ["/office/mails/nothing/en", "/office/mails/birthday/it", "/office/mails/task_late/en"]
)
def test_it_knows_no_other_mails(client: FlaskClient, ada: Office, path: str) -> None:
    assert client.get(path).status_code == 404


def test_it_keeps_words_apart_from_those_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    send(client, PAGE, client.get(PAGE), WORDS)
    with app.app_context():
        mallory = make_butcher()
    stranger = app.test_client()
    sign_in(stranger, mallory)
    assert "Come to {shop}" not in stranger.get(PAGE).text


def test_it_lets_no_stranger_in(client: FlaskClient) -> None:
    assert client.get(PAGE).status_code == 303
    assert client.post(PAGE).status_code in (400, 401, 403, 422)


SETTINGS = "/office/mails/settings"


def test_it_saves_what_the_shop_sends_of_its_own_accord(client: FlaskClient, app: Flask, ada: Office) -> None:
    typed = {"sender_name": "Ada", "birthday": "y", "birthday_points": "0", "birthday_stamps": "2"}
    page = client.get(SETTINGS)
    for _ in range(2):
        assert send(client, SETTINGS, page, typed).status_code == 303
    with app.app_context():
        kept = mail_settings.get(actor=ada.actor)
    assert (kept.sender_name, kept.birthday, kept.birthday_stamps) == ("Ada", True, 2)
    assert (kept.miss_you, kept.daily_digest) == (False, True)


@pytest.mark.parametrize(
    ("name", "typed"), [("birthday_points", "10001"), ("birthday_stamps", "11"), ("sender_name", "x" * 65)]
)
def test_it_says_which_setting_is_wrong(client: FlaskClient, ada: Office, name: str, typed: str) -> None:
    right = {"sender_name": "Ada", "birthday_points": "0", "birthday_stamps": "0"}
    answer = send(client, SETTINGS, client.get(SETTINGS), right | {name: typed})
    assert answer.status_code == 422
    assert typed in answer.text
    assert f'id="{name}-error"' in answer.text


def test_it_lists_what_was_mailed_and_sends_it_again(client: FlaskClient, app: Flask, ada: Office) -> None:
    send(client, f"{PAGE}/test", client.get(PAGE), WORDS)
    with app.app_context(), transaction():
        mail = db.session.scalars(sa.select(EmailLog)).one()
        mail.state, mail.error, mail_id = "failed", "550 5.1.1 <ada@bakery.example>: no such mailbox", mail.id
    page = client.get("/office/mails/log?state=failed")
    assert "Not delivered" in page.text
    assert "no such mailbox" in page.text
    assert client.get("/office/mails/log?state=sent").text.count("no such mailbox") == 0
    answer = send(client, f"/office/mails/log/{mail_id}/resend", page, {})
    assert answer.status_code == 303
    assert "The mail is sent again." in client.get("/office/mails/log").text


def test_it_asks_before_it_sends_again_what_may_have_arrived(client: FlaskClient, app: Flask, ada: Office) -> None:
    send(client, f"{PAGE}/test", client.get(PAGE), WORDS)
    with app.app_context(), transaction():
        mail = db.session.scalars(sa.select(EmailLog)).one()
        mail.state, mail_id = "unknown", mail.id
    page = client.get("/office/mails/log")
    assert "Perhaps delivered" in page.text
    answer = send(client, f"/office/mails/log/{mail_id}/resend", client.get(PAGE), {})
    assert answer.headers["Location"].endswith(f"/office/mails/log/{mail_id}/again")
    question = client.get(f"/office/mails/log/{mail_id}/again")
    assert "its reader gets it twice" in question.text
    send(client, f"/office/mails/log/{mail_id}/again", question, {})
    with app.app_context(), transaction():
        assert db.session.scalars(sa.select(EmailLog.state)).one() == "waiting"
