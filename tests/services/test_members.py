"""Members and invitations: owners let people in and out, and a shop always keeps an owner."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db
from loyalty.domain.values import Role
from loyalty.errors import Forbidden, IdempotencyKeyReused, InvitationExpired, NotFound, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.services import accounts, invitations, members
from tests.accounts import HOME, NEW_PASSWORD, id_of, key_for, mails, token_in
from tests.office import PASSWORD, Office, make_bakery, make_butcher

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BEN = "ben@bakery.example"


def invite(office: Office, email: str = BEN, role: str = "manager", name: str = "invite", at: datetime = NOW) -> str:
    """Invite somebody; returns the token of the mail."""
    key = key_for(name, office.actor.caller)
    invitations.create(actor=office.actor, email=email, role=role, locale="en", at=at, key=key)
    return token_in(mails("invitation")[-1])


def make_manager(office: Office, email: str = BEN) -> Office:
    user_id = accounts.create_owner(vendor_id=office.vendor_id, email=email, password=PASSWORD, role=Role.MANAGER)
    return replace(office, email=email, actor=replace(office.actor, role=Role.MANAGER, user_id=user_id))


def test_it_invites_somebody_new_who_chooses_a_password(context: None) -> None:
    ada = make_bakery()
    token = invite(ada, " Ben@Bakery.Example ")
    (mail,) = mails("invitation")
    assert (mail.recipient, mail.subject) == (BEN, "Ada's Bakery invites you")
    invited = invitations.get(token=token, at=NOW)
    assert invited == invitations.Invitation("Ada's Bakery", BEN, Role.MANAGER, False)
    with pytest.raises(ValidationError):
        invitations.accept_new(token=token, password="short", at=NOW, key=key_for("accept"))
    for _ in range(2):
        invitations.accept_new(token=token, password=NEW_PASSWORD, at=NOW, key=key_for("accept"))
    with pytest.raises(IdempotencyKeyReused):
        invitations.accept_new(token=token, password=f"{NEW_PASSWORD} 2", at=NOW, key=key_for("accept"))
    opened = accounts.sign_in(email=BEN, password=NEW_PASSWORD, source_ip=HOME, at=NOW)
    session = accounts.get_session(token=opened.token, at=NOW)
    assert session is not None
    assert (session.vendor_id, session.role) == (ada.vendor_id, Role.MANAGER)
    with pytest.raises(InvitationExpired):
        invitations.accept_new(token=token, password=NEW_PASSWORD, at=NOW, key=key_for("again"))
    actions = db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.created_at)).all()
    assert [action for action in actions if action.startswith("member.")] == ["member.invited", "member.joined"]


def test_it_lets_somebody_known_join_and_nobody_else(context: None) -> None:
    ada, mallory = make_bakery(), make_butcher()
    token = invite(ada, mallory.email, "owner")
    assert invitations.get(token=token, at=NOW).is_known
    with pytest.raises(ValidationError):
        invitations.accept_new(token=token, password=NEW_PASSWORD, at=NOW, key=key_for("new"))
    with pytest.raises(Forbidden):
        invitations.accept(token=token, user_id=id_of(ada), at=NOW, key=key_for("ada"))
    invitations.accept(token=token, user_id=id_of(mallory), at=NOW, key=key_for("mallory"))
    shops = accounts.list_memberships(user_id=id_of(mallory))
    assert [(shop.vendor_name, shop.role) for shop in shops] == [
        ("Ada's Bakery", Role.OWNER),
        ("Mallory's Meat", Role.OWNER),
    ]
    # Joining leaves the password as it is.
    accounts.sign_in(email=mallory.email, password=PASSWORD, source_ip=HOME, at=NOW)


def test_it_takes_invitations_for_a_week_until_withdrawn_or_replaced(context: None) -> None:
    ada, mallory = make_bakery(), make_butcher()
    first = invite(ada, name="first")
    second = invite(ada, name="second")
    with pytest.raises(InvitationExpired):
        invitations.get(token=first, at=NOW)
    invitations.get(token=second, at=NOW + timedelta(days=6, hours=23))
    with pytest.raises(InvitationExpired):
        invitations.get(token=second, at=NOW + timedelta(days=7))
    (waiting,) = invitations.list_waiting(actor=ada.actor, at=NOW)
    assert (waiting.email, waiting.role) == (BEN, Role.MANAGER)
    withdraw = partial(invitations.withdraw, invitation_id=waiting.invitation_id, at=NOW)
    with pytest.raises(NotFound):
        withdraw(actor=mallory.actor, key=key_for("hers"))
    withdraw(actor=ada.actor, key=key_for("mine"))
    assert invitations.list_waiting(actor=ada.actor, at=NOW) == []
    with pytest.raises(InvitationExpired):
        invitations.accept_new(token=second, password=NEW_PASSWORD, at=NOW, key=key_for("accept"))


def test_it_invites_nobody_twice_and_not_too_many(context: None) -> None:
    ada = make_bakery()
    for email, role, field in (("nonsense", "manager", "email"), (BEN, "admin", "role"), (ada.email, "owner", "email")):
        with pytest.raises(ValidationError) as refusal:
            invite(ada, email, role)
        assert list(refusal.value.errors) == [field]
    for name in ("one", "two", "three"):
        invite(ada, name=name)
    with pytest.raises(ValidationError):
        invite(ada, name="four")
    for number in range(19):
        invite(ada, f"n{number}@bakery.example", name=f"number-{number}")
    with pytest.raises(ValidationError):
        invite(ada, "one.more@bakery.example", name="too-many")


def test_it_lets_owners_alone_say_who_enters(context: None) -> None:
    ada = make_bakery()
    ben = make_manager(ada)
    with pytest.raises(Forbidden):
        members.list_all(actor=ben.actor)
    with pytest.raises(Forbidden):
        invite(ben)
    with pytest.raises(Forbidden):
        members.change_role(actor=ben.actor, user_id=id_of(ben), role="owner", key=key_for("role"))
    with pytest.raises(Forbidden):
        members.remove(actor=ben.actor, user_id=id_of(ada), key=key_for("remove"))


def test_it_lists_changes_and_removes_members(context: None) -> None:
    ada = make_bakery()
    ben = make_manager(ada)
    found = members.list_all(actor=ada.actor)
    assert [(row.email, row.role, row.is_me) for row in found] == [
        (ada.email, Role.OWNER, True),
        (BEN, Role.MANAGER, False),
    ]
    token = accounts.sign_in(email=BEN, password=PASSWORD, source_ip=HOME, at=NOW).token
    members.change_role(actor=ada.actor, user_id=id_of(ben), role="owner", key=key_for("role"))
    session = accounts.get_session(token=token, at=NOW)
    assert session is not None
    assert session.role is Role.OWNER
    with pytest.raises(ValidationError):
        members.change_role(actor=ada.actor, user_id=id_of(ben), role="admin", key=key_for("admin"))
    for _ in range(2):
        members.remove(actor=ada.actor, user_id=id_of(ben), key=key_for("remove"))
    session = accounts.get_session(token=token, at=NOW)
    assert session is not None
    assert (session.vendor_id, session.role) == (None, Role.STAFF)


def test_it_leaves_no_shop_without_an_owner(context: None) -> None:
    ada, mallory = make_bakery(), make_butcher()
    ben = make_manager(ada)
    for command in (members.remove, lambda **asked: members.change_role(role="manager", **asked)):
        with pytest.raises(ValidationError) as refusal:
            command(actor=ada.actor, user_id=id_of(ada), key=key_for("last"))
        assert list(refusal.value.errors) == ["member"]
    with pytest.raises(NotFound):
        members.remove(actor=mallory.actor, user_id=id_of(ben), key=key_for("foreign"))
    members.change_role(actor=ada.actor, user_id=id_of(ben), role="owner", key=key_for("role"))
    members.remove(actor=ada.actor, user_id=id_of(ada), key=key_for("remove"))


def test_it_leaves_an_owner_when_two_remove_each_other_at_once(app: Flask) -> None:
    with app.app_context():
        ada = make_bakery()
        ben = make_manager(ada)
        members.change_role(actor=ada.actor, user_id=id_of(ben), role="owner", key=key_for("role"))
    outcomes: list[str] = []

    def remove(who: Office, whom: Office) -> None:
        with app.app_context():
            try:
                owner = replace(who.actor, role=Role.OWNER)
                members.remove(actor=owner, user_id=id_of(whom), key=key_for("remove", owner.caller))
                outcomes.append("removed")
            except ValidationError:
                outcomes.append("refused")

    threads = [threading.Thread(target=remove, args=pair) for pair in ((ada, ben), (ben, ada))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "removed"]
