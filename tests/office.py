"""The bakery of Ada and the butcher next door of Mallory, each with somebody who may sign in to the office."""

import secrets
from dataclasses import dataclass
from uuid import UUID

from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.services import accounts, vendors

PASSWORD = "flour and water 1907"


@dataclass(frozen=True)
class Office:
    """A shop, its first store, and who acts there."""

    vendor_id: UUID
    store_id: UUID
    code: str
    email: str
    actor: Actor


def make_bakery() -> Office:
    """Ada's bakery."""
    return make_office("Ada's Bakery", "ada@bakery.example")


def make_butcher() -> Office:
    """Mallory's shop next door."""
    return make_office("Mallory's Meat", "mallory@meat.example")


def make_office(name: str, email: str, role: Role = Role.OWNER) -> Office:
    """Make a shop with an owner who can sign in with PASSWORD."""
    made = vendors.create(name=name, store_name="Main Street")
    user_id = accounts.create_owner(vendor_id=made.vendor_id, email=email, password=PASSWORD, role=role)
    actor = Actor(vendor_id=made.vendor_id, role=role, user_id=user_id)
    return Office(made.vendor_id, made.store_id, made.code, email, actor)


def key_of(office: Office, request_hash: str = "") -> RequestKey:
    """Make a new key for a command of this office."""
    return RequestKey(office.actor.caller, secrets.token_urlsafe(16), request_hash or secrets.token_hex(8))
