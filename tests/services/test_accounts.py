"""Signing in: the right password opens, wrong ones wait, and a session ends when it should."""

import threading
from datetime import UTC, datetime, timedelta

import bcrypt
import pytest
from flask import Flask
from sqlalchemy import select, update

from loyalty.database import db, transaction
from loyalty.domain.values import Role
from loyalty.errors import NotAuthenticated, NotFound, RateLimited, ValidationError
from loyalty.models.users import User, UserSession, VendorMember
from loyalty.services import accounts
from tests.office import PASSWORD, make_bakery, make_butcher

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HOME = "192.0.2.7"


def test_it_signs_in_with_the_right_password(context: None) -> None:
    ada = make_bakery()
    opened = accounts.sign_in(email=" Ada@Bakery.example ", password=PASSWORD, source_ip=HOME, at=NOW)
    session = accounts.get_session(token=opened.token, at=NOW)
    assert session is not None
    assert (session.vendor_id, session.role, session.email) == (ada.vendor_id, Role.OWNER, "ada@bakery.example")
    assert len(opened.token) >= 43


def test_it_stores_neither_password_nor_token(context: None) -> None:
    make_bakery()
    opened = accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=NOW)
    assert db.session.scalar(select(UserSession.token_hash)) != opened.token
    stored = db.session.scalar(select(User.password_hash))
    assert stored is not None
    assert stored.startswith("$2b$")


def test_it_answers_alike_to_a_wrong_password_and_an_unknown_address(context: None) -> None:
    make_bakery()
    answers = []
    for email in ("ada@bakery.example", "nobody@bakery.example", "nonsense", ""):
        with pytest.raises(ValidationError) as refusal:
            accounts.sign_in(email=email, password="not this one", source_ip=HOME, at=NOW)
        answers.append(refusal.value.errors)
    assert answers == [answers[0]] * 4


def test_it_hashes_once_whether_or_not_the_person_exists(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    make_bakery()
    seen: list[bytes] = []
    checkpw = bcrypt.checkpw

    def counted(typed: bytes, known: bytes) -> bool:
        seen.append(known)
        return checkpw(typed, known)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    for email in ("ada@bakery.example", "nobody@bakery.example"):
        with pytest.raises(ValidationError):
            accounts.sign_in(email=email, password="not this one", source_ip=HOME, at=NOW)
    assert len(seen) == 2


def test_it_makes_wrong_passwords_wait_and_says_until_when(context: None) -> None:
    make_bakery()
    for _ in range(5):
        with pytest.raises(ValidationError):
            accounts.sign_in(email="ada@bakery.example", password="not this one", source_ip=HOME, at=NOW)
    with pytest.raises(RateLimited) as refusal:
        accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=NOW)
    assert refusal.value.retry_at == NOW + timedelta(seconds=30)
    # Being refused extends nothing, and the right password ends the matter.
    later = NOW + timedelta(seconds=31)
    accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=later)
    with pytest.raises(ValidationError):
        accounts.sign_in(email="ada@bakery.example", password="not this one", source_ip=HOME, at=later)


def test_it_lets_nobody_try_more_than_fifty_times_a_day(context: None) -> None:
    make_bakery()
    tries, at = 0, NOW
    while at < NOW + timedelta(hours=24):
        try:
            accounts.sign_in(email="ada@bakery.example", password="guess", source_ip=None, at=at)
        except RateLimited as refusal:
            at = refusal.retry_at
        except ValidationError:
            tries += 1
    assert 30 < tries <= 50


def test_it_slows_a_source_that_tries_many_people(context: None) -> None:
    make_bakery()
    for number in range(10):
        with pytest.raises(ValidationError):
            accounts.sign_in(email=f"n{number}@example.org", password="guess", source_ip="2001:db8::1", at=NOW)
    with pytest.raises(RateLimited):
        accounts.sign_in(email="n99@example.org", password="guess", source_ip="2001:db8::2", at=NOW)
    accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=NOW)


def test_it_counts_parallel_guesses_before_it_hashes(app: Flask) -> None:
    with app.app_context():
        make_bakery()
    outcomes: list[type[Exception]] = []

    def guess() -> None:
        with app.app_context():
            try:
                accounts.sign_in(email="ada@bakery.example", password="guess", source_ip=None, at=NOW)
            except (ValidationError, RateLimited) as refusal:
                outcomes.append(type(refusal))

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(ValidationError) == 5
    assert outcomes.count(RateLimited) == 7


@pytest.mark.parametrize(
    ("password", "accepted"),
    [
        ("a" * 8 + "bcd", False),
        ("abcdefghijkl", True),
        ("aaaaaaaaaaaa", False),
        ("é" * 32 + "abcdefgh", True),
        ("é" * 33 + "abcdefgh", False),
    ],
)
def test_it_takes_passwords_of_twelve_letters_to_72_bytes(context: None, password: str, accepted: bool) -> None:
    if accepted:
        accounts.create_user(email="ada@bakery.example", password=password)
        accounts.sign_in(email="ada@bakery.example", password=password, source_ip=HOME, at=NOW)
        with pytest.raises(ValidationError):
            accounts.sign_in(email="ada@bakery.example", password=password + "z" * 72, source_ip=HOME, at=NOW)
    else:
        with pytest.raises(ValidationError) as refusal:
            accounts.create_user(email="ada@bakery.example", password=password)
        assert list(refusal.value.errors) == ["password"]


def test_it_refuses_a_second_person_with_the_same_address(context: None) -> None:
    accounts.create_user(email="ada@bakery.example", password=PASSWORD)
    with pytest.raises(ValidationError) as refusal:
        accounts.create_user(email="ADA@bakery.example", password=PASSWORD)
    assert list(refusal.value.errors) == ["email"]


def test_it_ends_a_session_by_sign_out_idleness_and_age(context: None) -> None:
    make_bakery()

    def open_one() -> str:
        return accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=NOW).token

    idle, old, left = open_one(), open_one(), open_one()
    accounts.sign_out(token=left, at=NOW)
    assert accounts.get_session(token=left, at=NOW) is None
    assert accounts.get_session(token=idle, at=NOW + timedelta(minutes=29)) is not None
    assert accounts.get_session(token=idle, at=NOW + timedelta(minutes=60)) is None
    for minutes in range(0, 12 * 60, 20):
        assert accounts.get_session(token=old, at=NOW + timedelta(minutes=minutes)) is not None
    assert accounts.get_session(token=old, at=NOW + timedelta(hours=12)) is None


def test_it_makes_a_new_token_at_each_sign_in(context: None) -> None:
    make_bakery()
    tokens = {
        accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=NOW).token for _ in range(3)
    }
    assert len(tokens) == 3


def test_it_asks_whose_office_when_a_person_has_several(context: None) -> None:
    bakery, butcher = make_bakery(), make_butcher()
    user_id = bakery.actor.user_id
    assert user_id is not None
    accounts.add_member(vendor_id=butcher.vendor_id, user_id=user_id, role=Role.MANAGER)
    opened = accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=NOW)
    assert opened.vendor_id is None
    session = accounts.get_session(token=opened.token, at=NOW)
    assert session is not None
    assert session.vendor_id is None
    chosen = accounts.choose_vendor(token=opened.token, vendor_id=butcher.vendor_id, at=NOW)
    assert accounts.get_session(token=opened.token, at=NOW) is None
    present = accounts.get_session(token=chosen.token, at=NOW)
    assert present is not None
    assert (present.vendor_id, present.role) == (butcher.vendor_id, Role.MANAGER)


def test_it_opens_no_office_of_somebody_else(context: None) -> None:
    make_bakery()
    butcher = make_butcher()
    opened = accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=NOW)
    with pytest.raises(NotFound):
        accounts.choose_vendor(token=opened.token, vendor_id=butcher.vendor_id, at=NOW)
    with pytest.raises(NotAuthenticated):
        accounts.choose_vendor(token="forged", vendor_id=butcher.vendor_id, at=NOW)


def test_it_reads_the_role_anew_at_each_request(context: None) -> None:
    make_bakery()
    opened = accounts.sign_in(email="ada@bakery.example", password=PASSWORD, source_ip=HOME, at=NOW)
    with transaction():
        db.session.execute(update(VendorMember).values(role="manager"))
    session = accounts.get_session(token=opened.token, at=NOW)
    assert session is not None
    assert session.role == Role.MANAGER
    with transaction():
        db.session.query(VendorMember).delete()
    session = accounts.get_session(token=opened.token, at=NOW)
    assert session is not None
    assert session.vendor_id is None
