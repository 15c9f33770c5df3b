"""Passwords: a mailed link sets one anew, once and for an hour, and whoever was signed in no longer is."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db
from loyalty.errors import IdempotencyKeyReused, LinkExpired, RateLimited, ResetExpired, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.models.idempotency import IdempotencyKey
from loyalty.services import accounts, links, passwords
from tests.accounts import HOME, NEW_PASSWORD, id_of, key_for, mails, token_in
from tests.office import PASSWORD, make_bakery, make_butcher

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def ask(email: str = "ada@bakery.example", name: str = "ask", at: datetime = NOW) -> None:
    passwords.ask_reset(email=email, source_ip=HOME, at=at, key=key_for(name, "password"))


def sign_in(password: str, at: datetime = NOW) -> str:
    return accounts.sign_in(email="ada@bakery.example", password=password, source_ip=HOME, at=at).token


def test_it_sets_another_password_by_a_mailed_link(context: None) -> None:
    make_bakery()
    sessions = [sign_in(PASSWORD), sign_in(PASSWORD)]
    ask(" Ada@Bakery.Example ")
    (mail,) = mails("password_reset")
    assert mail.recipient == "ada@bakery.example"
    token = token_in(mail)
    assert passwords.get_reset(token=token, at=NOW) == "ada@bakery.example"
    passwords.reset(token=token, password=NEW_PASSWORD, at=NOW, key=key_for("set"))
    assert [accounts.get_session(token=session, at=NOW) for session in sessions] == [None, None]
    with pytest.raises(ValidationError):
        sign_in(PASSWORD)
    sign_in(NEW_PASSWORD)
    assert len(mails("password_changed")) == 1
    assert "user.password_changed" in db.session.scalars(sa.select(AuditEvent.action)).all()


def test_it_says_the_same_to_everybody_and_mails_only_whom_it_knows(context: None) -> None:
    make_bakery()
    known = passwords.ask_reset(email="ada@bakery.example", source_ip=HOME, at=NOW, key=key_for("a"))
    unknown = passwords.ask_reset(email="nobody@bakery.example", source_ip=HOME, at=NOW, key=key_for("b"))
    assert known == unknown
    assert [mail.recipient for mail in mails("password_reset")] == ["ada@bakery.example"]
    with pytest.raises(ValidationError):
        ask("nonsense", "c")


def test_it_mails_three_links_a_day_and_one_for_two_taps(context: None) -> None:
    make_bakery()
    for name in ("first", "first", "second", "third", "fourth"):
        ask(name=name)
    assert len(mails("password_reset")) == 3
    ask(name="tomorrow", at=NOW + timedelta(hours=25))
    assert len(mails("password_reset")) == 4


def test_it_lets_one_source_ask_ten_times_an_hour(context: None) -> None:
    for number in range(10):
        ask(f"n{number}@bakery.example", f"number-{number}")
    with pytest.raises(RateLimited) as refusal:
        ask("n11@bakery.example", "one-more")
    assert refusal.value.retry_at == NOW + timedelta(hours=1)


def test_it_uses_a_link_once(context: None) -> None:
    make_bakery()
    ask()
    token = token_in(mails("password_reset")[0])
    passwords.reset(token=token, password=NEW_PASSWORD, at=NOW, key=key_for("set"))
    again = passwords.reset(token=token, password=NEW_PASSWORD, at=NOW, key=key_for("set"))
    assert again.replayed
    with pytest.raises(ResetExpired):
        passwords.reset(token=token, password=PASSWORD, at=NOW, key=key_for("another"))
    with pytest.raises(ResetExpired):
        passwords.get_reset(token=token, at=NOW)


def test_it_says_done_again_only_of_the_password_that_was_set(context: None) -> None:
    make_bakery()
    ask()
    token = token_in(mails("password_reset")[0])
    passwords.reset(token=token, password=NEW_PASSWORD, at=NOW, key=key_for("set"))
    with pytest.raises(IdempotencyKeyReused):
        passwords.reset(token=token, password=f"{NEW_PASSWORD} 2", at=NOW, key=key_for("set"))
    me = session_of(sign_in(NEW_PASSWORD))
    change(me, password=NEW_PASSWORD, new=PASSWORD)
    change(me, password=NEW_PASSWORD, new=PASSWORD)
    with pytest.raises(IdempotencyKeyReused):
        change(me, password=PASSWORD, new=f"{NEW_PASSWORD} 2")
    sign_in(PASSWORD)


def test_it_takes_links_for_an_hour_and_none_that_it_did_not_sign(context: None) -> None:
    make_bakery()
    ask()
    token = token_in(mails("password_reset")[0])
    passwords.get_reset(token=token, at=NOW + timedelta(minutes=59))
    foreign = links.confirmation(id_of(make_butcher()), "join").rpartition("/")[2]
    for wrong, at in ((token, NOW + timedelta(hours=1)), ("forged", NOW), (token[:-2], NOW), (foreign, NOW)):
        with pytest.raises(LinkExpired):
            passwords.reset(token=wrong, password=NEW_PASSWORD, at=at, key=key_for("set"))


def test_it_ends_older_links_when_the_password_changes(context: None) -> None:
    make_bakery()
    ask(name="first")
    ask(name="second")
    first, second = (token_in(mail) for mail in mails("password_reset"))
    passwords.reset(token=second, password=NEW_PASSWORD, at=NOW, key=key_for("set"))
    with pytest.raises(ResetExpired):
        passwords.get_reset(token=first, at=NOW)
    ask(name="third")
    change(session_of(sign_in(NEW_PASSWORD)), password=NEW_PASSWORD, new=PASSWORD)
    with pytest.raises(ResetExpired):
        passwords.get_reset(token=token_in(mails("password_reset")[2]), at=NOW)


def change(me: accounts.SessionFacts, password: str, new: str, name: str = "change") -> None:
    passwords.change(
        user_id=me.user_id,
        session_id=me.session_id,
        password=password,
        new=new,
        source_ip=HOME,
        at=NOW,
        key=key_for(name),
    )


def session_of(token: str) -> accounts.SessionFacts:
    found = accounts.get_session(token=token, at=NOW)
    assert found is not None
    return found


def test_it_changes_a_password_after_the_present_one_and_keeps_this_session(context: None) -> None:
    make_bakery()
    mine, other = sign_in(PASSWORD), sign_in(PASSWORD)
    me = session_of(mine)
    with pytest.raises(ValidationError) as refusal:
        change(me, password="not this one", new=NEW_PASSWORD)
    assert list(refusal.value.errors) == ["password"]
    with pytest.raises(ValidationError) as refusal:
        change(me, password=PASSWORD, new="short")
    assert list(refusal.value.errors) == ["new"]
    change(me, password=PASSWORD, new=NEW_PASSWORD)
    assert accounts.get_session(token=mine, at=NOW) is not None
    assert accounts.get_session(token=other, at=NOW) is None
    sign_in(NEW_PASSWORD)


def test_it_slows_whoever_guesses_inside_a_session_as_at_the_door(context: None) -> None:
    make_bakery()
    me = session_of(sign_in(PASSWORD))
    for number in range(5):
        with pytest.raises(ValidationError):
            change(me, password="guess", new=NEW_PASSWORD, name=f"guess-{number}")
    with pytest.raises(RateLimited):
        change(me, password=PASSWORD, new=NEW_PASSWORD)


def test_it_lets_one_of_many_use_the_link(app: Flask) -> None:
    with app.app_context():
        make_bakery()
        ask()
        token = token_in(mails("password_reset")[0])
    outcomes: list[str] = []

    def use(number: int) -> None:
        with app.app_context():
            try:
                passwords.reset(token=token, password=f"{NEW_PASSWORD} {number}", at=NOW, key=key_for(f"set-{number}"))
                outcomes.append("set")
            except LinkExpired:
                outcomes.append("refused")

    threads = [threading.Thread(target=use, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 4 + ["set"]


def test_it_frees_whom_others_have_locked_out(context: None) -> None:
    make_bakery()
    for _ in range(5):
        with pytest.raises(ValidationError):
            sign_in("guess")
    ask()
    passwords.reset(token=token_in(mails("password_reset")[0]), password=NEW_PASSWORD, at=NOW, key=key_for("set"))
    sign_in(NEW_PASSWORD)


def test_it_stores_nothing_of_a_password_beside_its_hash(context: None) -> None:
    make_bakery()
    ask()
    passwords.reset(token=token_in(mails("password_reset")[0]), password=NEW_PASSWORD, at=NOW, key=key_for("set"))
    stored = db.session.scalars(sa.select(IdempotencyKey.receipt)).all()
    assert NEW_PASSWORD not in str(stored)
