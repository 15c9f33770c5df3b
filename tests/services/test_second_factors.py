"""The second factor: a phone's code opens once, wrong ones wait, and codes on paper open when the phone is lost."""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db
from loyalty.errors import NotAuthenticated, NotFound, RateLimited, SecondFactorRequired, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.models.users import RecoveryCode, User, UserSession
from loyalty.services import accounts, passwords, second_factors
from tests.accounts import HOME, NEW_PASSWORD, code_at, give_phone, id_of, key_for, mails, token_in
from tests.office import PASSWORD, make_bakery, make_butcher

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=2)


def challenge(at: datetime = LATER, password: str = PASSWORD) -> str:
    with pytest.raises(SecondFactorRequired) as wanted:
        accounts.sign_in(email="ada@bakery.example", password=password, source_ip=HOME, at=at)
    return str(wanted.value.challenge)


def enter(code: str, at: datetime = LATER) -> str:
    return accounts.sign_in_with_code(challenge=challenge(at), code=code, at=at).token


def test_it_opens_no_session_before_the_code(context: None) -> None:
    ada = make_bakery()
    secret, _ = give_phone(ada, NOW)
    wanted = challenge()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(UserSession)) == 0
    opened = accounts.sign_in_with_code(challenge=wanted, code=code_at(secret, LATER), at=LATER)
    session = accounts.get_session(token=opened.token, at=LATER)
    assert session is not None
    assert session.has_second_factor
    assert session.vendor_id == ada.vendor_id


def test_it_asks_nobody_for_a_code_who_has_none(context: None) -> None:
    make_bakery()
    accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=NOW)


def test_it_takes_a_code_once(context: None) -> None:
    secret, _ = give_phone(make_bakery(), NOW)
    with pytest.raises(ValidationError):
        enter(code_at(secret, NOW), NOW)
    enter(code_at(secret, LATER))
    with pytest.raises(ValidationError):
        enter(code_at(secret, LATER))
    enter(code_at(secret, LATER + timedelta(seconds=30)), LATER + timedelta(seconds=30))


def test_it_lets_one_of_many_use_the_same_code(app: Flask) -> None:
    with app.app_context():
        secret, _ = give_phone(make_bakery(), NOW)
        wanted = challenge()
    outcomes: list[str] = []

    def use() -> None:
        with app.app_context():
            try:
                accounts.sign_in_with_code(challenge=wanted, code=code_at(secret, LATER), at=LATER)
                outcomes.append("in")
            except (ValidationError, RateLimited):
                outcomes.append("refused")

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused", "refused", "refused"]


def test_it_makes_wrong_codes_wait_and_counts_parallel_guesses(app: Flask) -> None:
    with app.app_context():
        secret, _ = give_phone(make_bakery(), NOW)
        wanted = challenge()
    outcomes: list[type[Exception]] = []

    def guess() -> None:
        with app.app_context():
            try:
                accounts.sign_in_with_code(challenge=wanted, code="000000", at=LATER)
            except (ValidationError, RateLimited) as refusal:
                outcomes.append(type(refusal))

    threads = [threading.Thread(target=guess) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(ValidationError) == 5
    assert outcomes.count(RateLimited) == 5
    with app.app_context():
        with pytest.raises(RateLimited) as refusal:
            accounts.sign_in_with_code(challenge=wanted, code=code_at(secret, LATER), at=LATER)
        assert refusal.value.retry_at == LATER + timedelta(seconds=30)
        at = LATER + timedelta(seconds=31)
        accounts.sign_in_with_code(challenge=wanted, code=code_at(secret, at), at=at)


def test_it_takes_each_recovery_code_once(context: None) -> None:
    ada, butcher = make_bakery(), make_butcher()
    _, codes = give_phone(ada, NOW)
    assert len(codes) == 10
    enter(codes[0].upper().replace("-", " "))
    with pytest.raises(ValidationError):
        enter(codes[0])
    enter(codes[1])
    assert second_factors.get_state(user_id=id_of(ada)) == second_factors.State(True, 8)
    assert second_factors.get_state(user_id=id_of(butcher)) == second_factors.State(False, 0)


def test_it_stores_neither_secret_nor_recovery_codes(context: None) -> None:
    ada = make_bakery()
    secret, codes = give_phone(ada, NOW)
    kept = db.session.scalar(sa.select(User.totp_secret).where(User.id == id_of(ada)))
    assert kept is not None
    assert secret not in kept
    hashes = db.session.scalars(sa.select(RecoveryCode.code_hash)).all()
    assert not set(hashes) & set(codes)
    assert all(len(each) == 64 for each in hashes)


def test_it_shows_recovery_codes_once(context: None) -> None:
    ada = make_bakery()
    offered = second_factors.begin(user_id=id_of(ada), email=ada.email)
    code = code_at(offered.secret, NOW)
    turn_on = partial(second_factors.turn_on, user_id=id_of(ada), sealed=offered.sealed, code=code, at=NOW)
    first, again = turn_on(key=key_for("on")), turn_on(key=key_for("on"))
    assert first.codes is not None
    assert again.codes is None
    assert again.replayed
    with pytest.raises(ValidationError):
        turn_on(key=key_for("another"))


def test_it_turns_on_only_after_a_code_of_this_very_secret(context: None) -> None:
    ada, mallory = make_bakery(), make_butcher()
    hers = second_factors.begin(user_id=id_of(mallory), email=mallory.email)
    mine = second_factors.begin(user_id=id_of(ada), email=ada.email)
    again = second_factors.begin(user_id=id_of(ada), email=ada.email, sealed=mine.sealed)
    assert again.secret == mine.secret
    for sealed, code in (
        (mine.sealed, "000000"),
        (hers.sealed, code_at(hers.secret, NOW)),
        ("nonsense", "000000"),
        ("é", "000000"),
    ):
        with pytest.raises(ValidationError):
            second_factors.turn_on(user_id=id_of(ada), sealed=sealed, code=code, at=NOW, key=key_for("on"))
    assert not second_factors.get_state(user_id=id_of(ada)).is_on


def test_it_turns_off_after_a_code(context: None) -> None:
    ada = make_bakery()
    secret, _ = give_phone(ada, NOW)
    with pytest.raises(ValidationError):
        second_factors.turn_off(user_id=id_of(ada), code="000000", at=LATER, key=key_for("off"))
    for _ in range(2):
        second_factors.turn_off(user_id=id_of(ada), code=code_at(secret, LATER), at=LATER, key=key_for("off"))
    assert second_factors.get_state(user_id=id_of(ada)) == second_factors.State(False, 0)
    accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=LATER)
    actions = db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.created_at)).all()
    assert [action for action in actions if "factor" in action] == [
        "second_factor.turned_on",
        "second_factor.turned_off",
    ]


def test_it_takes_a_challenge_for_ten_minutes_and_with_this_password(context: None) -> None:
    secret, _ = give_phone(make_bakery(), NOW)
    wanted = challenge()
    late = LATER + timedelta(minutes=10)
    for text, at in ((wanted, late), ("forged", LATER), (wanted[:-4], LATER)):
        with pytest.raises(NotAuthenticated):
            accounts.sign_in_with_code(challenge=text, code=code_at(secret, at), at=at)
    passwords.ask_reset(email="ada@bakery.example", source_ip=HOME, at=LATER, key=key_for("ask"))
    token = token_in(mails("password_reset")[0])
    passwords.reset(token=token, password=NEW_PASSWORD, at=LATER, key=key_for("set"))
    with pytest.raises(NotAuthenticated):
        accounts.sign_in_with_code(challenge=wanted, code=code_at(secret, LATER), at=LATER)
    # A new password is no way around the phone.
    challenge(password=NEW_PASSWORD)


def test_it_is_turned_off_for_whoever_has_lost_everything(context: None) -> None:
    give_phone(make_bakery(), NOW)
    with pytest.raises(NotFound):
        second_factors.turn_off_for(email="nobody@bakery.example")
    second_factors.turn_off_for(email=" Ada@Bakery.example")
    accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=LATER)
