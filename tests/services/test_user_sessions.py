"""Sessions: listed with where they are, ended, and told of where a browser is new."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import db
from loyalty.errors import NotFound
from loyalty.models.users import UserSession
from loyalty.services import accounts, user_sessions
from loyalty.services.user_sessions import Visit
from tests.accounts import HOME, id_of, key_for, mails
from tests.office import PASSWORD, make_bakery, make_butcher

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:126.0) Gecko/20100101 Firefox/126.0"
DESK, PHONE = "a-cookie-of-the-desk-" * 2, "a-cookie-of-the-phone-" * 2


def sign_in(device: str = "", at: datetime = NOW, email: str = "ada@bakery.example") -> str:
    visit = Visit(HOME, FIREFOX, device)
    return accounts.sign_in(email=email, password=PASSWORD, source_ip=HOME, at=at, visit=visit).token


def session_id_of(token: str, at: datetime = NOW) -> UUID:
    session = accounts.get_session(token=token, at=at)
    assert session is not None
    return session.session_id


def test_it_lists_where_somebody_is_signed_in(context: None) -> None:
    ada = make_bakery()
    old, idle = sign_in(at=NOW - timedelta(hours=13)), sign_in(at=NOW - timedelta(minutes=31))
    other, mine = sign_in(at=NOW - timedelta(minutes=5)), sign_in()
    accounts.sign_out(token=sign_in(), at=NOW)
    found = user_sessions.list_open(user_id=id_of(ada), session_id=session_id_of(mine), at=NOW)
    assert [row.session_id for row in found] == [session_id_of(mine), session_id_of(other)]
    assert [row.is_this for row in found] == [True, False]
    assert {(row.browser, row.network) for row in found} == {("Firefox, Windows", "192.0.2.0/24")}
    assert accounts.get_session(token=old, at=NOW) is None
    assert accounts.get_session(token=idle, at=NOW) is None


def test_it_ends_one_session_and_no_one_elses(context: None) -> None:
    ada, mallory = make_bakery(), make_butcher()
    mine, hers = sign_in(), sign_in(email=mallory.email)
    target = session_id_of(mine)
    with pytest.raises(NotFound):
        user_sessions.end(user_id=id_of(mallory), session_id=target, at=NOW, key=key_for("end"))
    assert accounts.get_session(token=mine, at=NOW) is not None
    for _ in range(2):
        done = user_sessions.end(user_id=id_of(ada), session_id=target, at=NOW, key=key_for("end"))
        assert done.ended == 1
    assert accounts.get_session(token=mine, at=NOW) is None
    assert accounts.get_session(token=hers, at=NOW) is not None


def test_it_ends_all_others(context: None) -> None:
    ada = make_bakery()
    others, mine = [sign_in(), sign_in()], sign_in()
    this = session_id_of(mine)
    assert user_sessions.end_others(user_id=id_of(ada), session_id=this, at=NOW, key=key_for("end")).ended == 2
    assert [accounts.get_session(token=token, at=NOW) for token in others] == [None, None]
    assert accounts.get_session(token=mine, at=NOW) is not None


def test_it_tells_of_a_browser_that_it_has_not_seen_before(context: None) -> None:
    make_bakery()
    sign_in(DESK)
    sign_in(DESK)
    assert mails("new_sign_in") == []
    sign_in(PHONE)
    sign_in(PHONE)
    sign_in(DESK)
    (mail,) = mails("new_sign_in")
    assert mail.recipient == "ada@bakery.example"
    assert "Browser: Firefox, Windows" in mail.text
    assert "Network: 192.0.2.0/24" in mail.text
    assert HOME not in mail.text + mail.html
    assert "/office/account" in mail.text


def test_it_tells_nobody_of_commands_and_first_visits(context: None) -> None:
    make_bakery()
    for device in ("", DESK, ""):
        sign_in(device)
    assert len(mails("new_sign_in")) == 1


def test_it_forgets_where_somebody_was_long_ago_and_tells_of_that_browser_again(context: None) -> None:
    make_bakery()
    sign_in(DESK)
    later = NOW + timedelta(days=91)
    sign_in(PHONE, at=later)
    assert len(mails("new_sign_in")) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(UserSession)) == 1
    sign_in(DESK, at=later)
    assert len(mails("new_sign_in")) == 2


def test_it_stores_no_cookie_and_no_whole_address(context: None) -> None:
    make_bakery()
    sign_in(DESK)
    (row,) = db.session.execute(sa.select(*UserSession.__table__.c)).all()
    assert DESK not in str(row)
    assert HOME not in str(row)
