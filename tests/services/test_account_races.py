"""What happens to an account while somebody is still at its door: another password, another link, another shop."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.errors import LinkExpired, LoyaltyError, NotAuthenticated, SecondFactorRequired, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.models.users import User, UserSession, VendorMember
from loyalty.services import accounts, acting, invitations, passwords, second_factors, user_sessions
from tests.accounts import HOME, NEW_PASSWORD, code_at, give_phone, id_of, key_for, mails, token_in
from tests.bulk import make_admin
from tests.office import PASSWORD, Office, key_of, make_bakery, make_butcher
from tests.tills import all_at_once, come_late

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=2)
BEN = "ben@bakery.example"


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def mailed_link(name: str = "ask") -> str:
    passwords.ask_reset(email="ada@bakery.example", source_ip=HOME, at=NOW, key=key_for(name, "password"))
    return token_in(mails("password_reset")[-1])


def reset_by_mail(at: datetime = NOW) -> Callable[[], object]:
    """Let a link be mailed; what is returned sets a new password with it."""
    link = mailed_link()
    return lambda: passwords.reset(token=link, password=NEW_PASSWORD, at=at, key=key_for("set"))


def sign_in(at: datetime = NOW) -> str:
    return accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=at).token


def open_sessions() -> int:
    query = sa.select(sa.func.count()).select_from(UserSession).where(UserSession.ended_at.is_(None))
    return db.session.execute(query).scalar_one()


def while_it_compares(
    app: Flask, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object], service: object = passwords
) -> None:
    """Let something happen in another connection right after a password was found to be right, once."""
    compare, waiting = passwords.matches, [happens]

    def compared(password: str, password_hash: str | None) -> bool:
        right = compare(password, password_hash)
        if waiting:
            all_at_once(app, [waiting.pop()])
        return right

    monkeypatch.setattr(service, "matches", compared)


@pytest.mark.parametrize(
    ("prepare", "refusal"),
    [
        (lambda _: reset_by_mail(), ValidationError),
        (lambda ada: partial(give_phone, ada, NOW), SecondFactorRequired),
    ],
    ids=["another password", "a phone"],
)
def test_it_opens_nothing_for_what_changed_while_the_password_was_compared(
    app: Flask,
    ada: Office,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Office], Callable[[], object]],
    refusal: type[LoyaltyError],
) -> None:
    """Else a thief who signs in at the moment of the reset stays in, although it ends all sessions."""
    with app.app_context():
        while_it_compares(app, monkeypatch, prepare(ada))
        with pytest.raises(refusal):
            sign_in()
        assert open_sessions() == 0


def test_it_opens_nothing_for_a_code_where_the_password_changed_meanwhile(
    app: Flask, ada: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        secret, _ = give_phone(ada, NOW)
        happens = reset_by_mail(LATER)
        with pytest.raises(SecondFactorRequired) as wanted:
            sign_in(LATER)
        check = second_factors.check

        def checked(**asked: object) -> None:
            check(**asked)  # type: ignore[arg-type] # handed on as they came
            all_at_once(app, [happens])

        monkeypatch.setattr(second_factors, "check", checked)
        with pytest.raises(NotAuthenticated):
            accounts.sign_in_with_code(challenge=wanted.value.challenge, code=code_at(secret, LATER), at=LATER)
        assert open_sessions() == 0


def test_it_keeps_a_password_that_was_set_by_mail_while_a_thief_changed_it(
    app: Flask, ada: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        session = accounts.get_session(token=sign_in(), at=NOW)
        assert session is not None
        while_it_compares(app, monkeypatch, reset_by_mail())
        with pytest.raises(ValidationError):
            passwords.change(
                user_id=session.user_id,
                session_id=session.session_id,
                password=PASSWORD,
                new="a password of the thief",
                source_ip=HOME,
                at=NOW,
                key=key_for("change"),
            )
        db.session.rollback()
        accounts.sign_in(email=ada.email, password=NEW_PASSWORD, source_ip=HOME, at=NOW)


def outcome(call: Callable[[], object]) -> str:
    try:
        call()
    except LoyaltyError as refusal:
        return refusal.code
    except sa.exc.DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", "unknown"))
    return "ok"


def test_it_takes_one_of_two_links_that_are_used_at_once(app: Flask, ada: Office) -> None:
    with app.app_context():
        links = [mailed_link("first"), mailed_link("second")]

    def use(number: int) -> str:
        key = key_for(f"set-{number}", f"user:{number}")
        return outcome(lambda: passwords.reset(token=links[number], password=NEW_PASSWORD, at=NOW, key=key))

    assert sorted(all_at_once(app, [lambda: use(0), lambda: use(1)])) == sorted(["ok", LinkExpired.code])


def test_it_makes_one_person_of_two_shops_invitations_accepted_at_once(app: Flask, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
        for shop in (ada, mallory):
            asked = {"email": BEN, "role": "manager", "locale": "en"}
            invitations.create(actor=shop.actor, at=NOW, key=key_of(shop), **asked)
        links = [token_in(mail) for mail in mails("invitation")]

    def accept(number: int) -> str:
        key = key_for(f"accept-{number}", f"user:{number}")
        return outcome(lambda: invitations.accept_new(token=links[number], password=NEW_PASSWORD, at=NOW, key=key))

    assert sorted(all_at_once(app, [lambda: accept(0), lambda: accept(1)])) == ["VALIDATION_ERROR", "ok"]
    with app.app_context():
        people = sa.select(sa.func.count()).select_from(User).where(User.email == BEN)
        assert db.session.scalar(people) == 1
        # The other invitation is still open: they join as who they are now.
        user_id = db.session.execute(sa.select(User.id).where(User.email == BEN)).scalar_one()
        (left,) = [link for link in links if outcome(partial(invitations.get, token=link, at=NOW)) == "ok"]
        assert invitations.get(token=left, at=NOW).is_known
        invitations.accept(token=left, user_id=user_id, at=NOW, key=key_for("accept"))
        member = sa.select(sa.func.count()).select_from(VendorMember).where(VendorMember.user_id == user_id)
        assert db.session.scalar(member) == 2


def sign_out(session: accounts.SessionFacts, token: str) -> None:
    accounts.sign_out(token=token, at=NOW)


def end_elsewhere(session: accounts.SessionFacts, token: str) -> None:
    user_sessions.end(user_id=session.user_id, session_id=session.session_id, at=NOW, key=key_for("end"))


@pytest.mark.parametrize("end_session", [sign_out, end_elsewhere])
def test_it_writes_down_the_end_where_a_session_ends_while_it_begins_to_act(
    app: Flask, ada: Office, end_session: Callable[[accounts.SessionFacts, str], None]
) -> None:
    """Else the shop's owner reads of a visit that never ended."""
    with app.app_context():
        admin = make_admin()
        token = accounts.sign_in(email="root@platform.example", password=PASSWORD, source_ip=HOME, at=NOW).token
        session = accounts.get_session(token=token, at=NOW)
        assert session is not None
        with transaction():
            acting.begin(
                admin=admin,
                session_id=session.session_id,
                vendor_id=ada.vendor_id,
                reason="asked to",
                at=NOW,
                key=key_for("act"),
            )
            end = come_late(app, lambda: end_session(session, token))
        assert end() is None
        acted = sa.select(AuditEvent.action).where(AuditEvent.action.like("acting.%")).order_by(AuditEvent.action)
        assert db.session.scalars(acted).all() == ["acting.ended", "acting.started"]
        assert accounts.get_session(token=token, at=NOW) is None


def test_it_lets_one_browser_in_with_a_recovery_code(app: Flask, ada: Office) -> None:
    with app.app_context():
        _, codes = give_phone(ada, NOW)
        challenges = []
        for _ in range(2):
            with pytest.raises(SecondFactorRequired) as wanted:
                sign_in(LATER)
            challenges.append(str(wanted.value.challenge))

    def enter(challenge: str) -> str:
        return outcome(lambda: accounts.sign_in_with_code(challenge=challenge, code=codes[0], at=LATER))

    answers = all_at_once(app, [lambda: enter(challenges[0]), lambda: enter(challenges[1])])
    assert answers.count("ok") == 1
    with app.app_context():
        assert second_factors.get_state(user_id=id_of(ada)).codes_left == len(codes) - 1
        assert open_sessions() == 1
