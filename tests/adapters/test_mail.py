"""Mail over a real socket: what arrives, and what each kind of failure means."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.adapters import Rejected, Unanswered, Unavailable
from loyalty.adapters.mail import FileMailer, SmtpMailer, compose, make_mailer
from loyalty.domain.mails import RenderedMail
from tests.fakes import SmtpSink, smtp_sink

FROM = "Loyalty <cards@example.com>"
MAIL = RenderedMail(
    message_id="<1234@example.com>",
    recipient="cleo@example.org",
    sender_name="Bakery",
    subject="Your card of Bakery",
    text="Är Kaart ass prett.\n.\n.a line that begins with a dot\n",
    html="<p>Är Kaart ass prett.</p>",
    locale="lb",
    written_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with smtp_sink() as running:
        yield running


@pytest.fixture
def mailer(sink: SmtpSink) -> SmtpMailer:
    return SmtpMailer(sink.url, FROM)


def leave() -> bool:
    return True


def never() -> bool:
    raise AssertionError("nothing may leave")


def test_it_delivers_text_and_html_as_they_were_written(mailer: SmtpMailer, sink: SmtpSink) -> None:
    assert mailer.send(MAIL, leave)
    (mail,) = sink.mails
    assert sink.recipients == ["cleo@example.org"]
    assert mail["Message-ID"] == MAIL.message_id
    assert mail["From"] == "Bakery <cards@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == MAIL.text
    assert html.get_content().strip() == MAIL.html


@pytest.mark.parametrize("mood", ["later", "refuse"])
def test_it_lets_nothing_leave_when_the_address_is_refused(mailer: SmtpMailer, sink: SmtpSink, mood: str) -> None:
    sink.mood = mood
    with pytest.raises(Unavailable if mood == "later" else Rejected, match=r"Greylisted|mailbox"):
        mailer.send(MAIL, never)
    assert not sink.mails


@pytest.mark.parametrize(("mood", "error"), [("later_mail", Unavailable), ("refuse_mail", Rejected)])
def test_it_says_that_a_refused_mail_was_not_taken(
    mailer: SmtpMailer, sink: SmtpSink, mood: str, error: type[Exception]
) -> None:
    sink.mood = mood
    with pytest.raises(error):
        mailer.send(MAIL, leave)


def test_it_says_that_nobody_knows_when_the_answer_is_lost(mailer: SmtpMailer, sink: SmtpSink) -> None:
    sink.mood = "drop"
    with pytest.raises(Unanswered):
        mailer.send(MAIL, leave)


def test_it_tries_again_later_when_nobody_listens(sink: SmtpSink) -> None:
    with smtp_sink() as gone:
        url = gone.url
    with pytest.raises(Unavailable):
        SmtpMailer(url, FROM).send(MAIL, never)


def test_it_stays_when_another_worker_was_faster(mailer: SmtpMailer, sink: SmtpSink) -> None:
    assert not mailer.send(MAIL, lambda: False)
    assert not sink.mails


def test_it_reads_user_password_and_port_from_the_address() -> None:
    mailer = SmtpMailer("smtps://ada:p%40ss@mail.example.com", FROM)
    assert (mailer.user, mailer.password, mailer.port, mailer.encrypted) == ("ada", "p@ss", 465, True)
    assert SmtpMailer("smtp://ada:secret@mail.example.com", FROM).port == 587
    assert SmtpMailer("smtp://mail.example.com", FROM).port == 25


def test_it_sends_no_password_in_the_clear(monkeypatch: pytest.MonkeyPatch, sink: SmtpSink) -> None:
    # The sink offers no STARTTLS; under a name that is not this machine the password must stay at home.
    mailer = SmtpMailer(sink.url.replace("smtp://", "smtp://ada:secret@"), FROM)
    monkeypatch.setattr("loyalty.adapters.mail._is_loopback", lambda host: False)
    with pytest.raises(Unavailable, match="STARTTLS"):
        mailer.send(MAIL, never)


def test_it_keeps_mails_as_files_without_a_server(tmp_path: Path) -> None:
    mailer = make_mailer(None, FROM, tmp_path)
    assert isinstance(mailer, FileMailer)
    assert mailer.send(MAIL, leave)
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == "1234.eml"
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["To"] == "cleo@example.org"
    assert not mailer.send(MAIL, lambda: False)


def test_it_forgets_a_mail_that_it_kept(tmp_path: Path) -> None:
    mailer = make_mailer(None, FROM, tmp_path)
    other = replace(MAIL, message_id="<5678@example.com>")
    mailer.send(MAIL, leave)
    mailer.send(other, leave)
    # What a worker that was killed has left of it.
    (tmp_path / "mail" / "1234.draft").write_text("cleo@example.org")
    for _ in range(2):
        mailer.forget(MAIL.message_id)
    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["5678.eml"]


def test_it_has_no_copy_of_what_a_server_has_taken(mailer: SmtpMailer, sink: SmtpSink) -> None:
    mailer.forget(MAIL.message_id)
    assert not sink.mails


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.text(max_size=80),
    subject=st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=60),
)
def test_it_keeps_strange_names_inside_their_header(name: str, subject: str) -> None:
    message = message_from_bytes(compose(replace(MAIL, sender_name=name, subject=subject), FROM).as_bytes())
    expected = ["From", "To", "Subject", "Date", "Message-ID", "Content-Language", "Auto-Submitted", "MIME-Version"]
    assert sorted(message.keys()) == sorted([*expected, "Content-Type"])
    assert str(message["From"]).count("@") == 1


@pytest.mark.parametrize("field", ["subject", "recipient", "message_id", "locale"])
@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r"])
def test_it_refuses_line_breaks_in_headers(field: str, break_: str) -> None:
    wrong: dict[str, Any] = {field: f"a{break_}Bcc: mallory@example.org"}
    with pytest.raises(ValueError, match=r".+"):
        compose(replace(MAIL, **wrong), FROM)
