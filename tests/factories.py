"""The cast and its things, written straight into the database: Ada owns the bakery, Ben is its cashier.

All of them need an application context and commit what they make.
"""

import hashlib
import itertools
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from loyalty.database import db, new_id, transaction
from loyalty.domain.pins import make_salt
from loyalty.domain.values import Actor, CardRef, RequestKey, Role
from loyalty.models.customers import Customer
from loyalty.models.pins import StaffPin
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.models.terminals import Terminal
from loyalty.models.users import User, VendorMember
from loyalty.models.vendors import Store, Vendor, VendorPolicy
from loyalty.services import adjustments, cards

# A bcrypt hash of the lowest cost; nobody signs in with it.
NO_PASSWORD = "$2b$04$pyEBup5KFa6IKIaf..Tu9uXqGT9hLqEqsOHuUs6PNX5NJlo/NYfqO"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Shop:
    """A vendor that can work: `ada` owns it, `ben` has his PIN session open, `mia` is a manager at the till."""

    vendor_id: UUID
    code: str
    store_id: UUID
    program_id: UUID
    terminal_id: UUID
    terminal_token: str
    ada: Actor
    ben: Actor
    mia: Actor


@dataclass(frozen=True)
class Card:
    """A customer's card."""

    card_id: UUID
    customer_id: UUID
    card_number: str
    scan_code: str
    public_token: str

    @property
    def ref(self) -> CardRef:
        """The card as a request names it."""
        return CardRef(card_id=self.card_id)


def make_key(actor: Actor | None = None, *, asked: object = "", key: str | None = None) -> RequestKey:
    """Make the key of a new request, or of one that asks for something else under a key of old."""
    caller = actor.caller if actor else "test"
    digest = hashlib.sha256(repr(asked).encode()).hexdigest()
    return RequestKey(caller, key or secrets.token_urlsafe(18), digest)


def make_shop(
    code: str = "bakery",
    *,
    policy: dict[str, Any] | None = None,
    vendor: dict[str, Any] | None = None,
    active: bool = True,
    **program: Any,
) -> Shop:
    """Make a vendor with one store, an active program, an owner, two staff and a paired terminal."""
    vendor_id, store_id, program_id, user_id = new_id(), new_id(), new_id(), new_id()
    with transaction():
        _add(Vendor(id=vendor_id, code=code, pin_salt=make_salt(), **{"name": code.title(), **(vendor or {})}))
        _add(VendorPolicy(vendor_id=vendor_id, **(policy or {})))
        _add(Store(id=store_id, vendor_id=vendor_id, code="main", name="Main Street"))
        activated = {"is_active": active, "activated_at": datetime.now(UTC) if active else None}
        _add(LoyaltyProgram(id=program_id, vendor_id=vendor_id, **{**activated, **program}))
        _add(User(id=user_id, email=f"ada@{code}.example", password_hash=NO_PASSWORD))
        _add(VendorMember(user_id=user_id, vendor_id=vendor_id, role="owner"))
    terminal_id, token = make_terminal(vendor_id, store_id)
    till = Actor(vendor_id=vendor_id, role=Role.STAFF, store_id=store_id, terminal_id=terminal_id)
    return Shop(
        vendor_id=vendor_id,
        code=code,
        store_id=store_id,
        program_id=program_id,
        terminal_id=terminal_id,
        terminal_token=token,
        ada=Actor(vendor_id=vendor_id, role=Role.OWNER, user_id=user_id),
        ben=replace(till, staff_pin_id=make_staff(vendor_id, "Ben"), staff_name="Ben"),
        mia=replace(
            till, role=Role.MANAGER, staff_pin_id=make_staff(vendor_id, "Mia", role="manager"), staff_name="Mia"
        ),
    )


def make_store(shop: Shop, code: str = "station", **columns: Any) -> UUID:
    """Make another store."""
    store_id = new_id()
    with transaction():
        _add(Store(id=store_id, vendor_id=shop.vendor_id, code=code, **{"name": code.title(), **columns}))
    return store_id


def make_staff(vendor_id: UUID, name: str, *, role: str = "staff") -> UUID:
    """Make a member of staff whose PIN nobody knows; `services.pins.create` makes one that can be typed."""
    staff_pin_id = new_id()
    with transaction():
        digest = secrets.token_hex(16)
        _add(StaffPin(id=staff_pin_id, vendor_id=vendor_id, name=name, role=role, pin_hash=digest, pepper_id="test"))
    return staff_pin_id


def make_terminal(vendor_id: UUID, store_id: UUID, *, label: str = "Counter") -> tuple[UUID, str]:
    """Make a paired terminal; returns its id and the token that its cookie holds."""
    terminal_id, token = new_id(), secrets.token_urlsafe(32)
    with transaction():
        _add(
            Terminal(
                id=terminal_id,
                vendor_id=vendor_id,
                store_id=store_id,
                label=label,
                token_hash=hashlib.sha256(token.encode()).hexdigest(),
                paired_at=datetime.now(UTC),
            )
        )
    return terminal_id, token


def open_session(shop: Shop, who: Actor) -> None:
    """Open a staff session on the shop's terminal, as a right PIN does."""
    with transaction():
        terminal = db.session.get_one(Terminal, shop.terminal_id)
        terminal.staff_pin_id, terminal.staff_seen_at = who.staff_pin_id, datetime.now(UTC)


def make_card(shop: Shop, *, stamps: int = 0, points: int = 0, **customer: Any) -> Card:
    """Make a customer with a card that holds this many stamps and points."""
    customer_id = new_id()
    number = next(_numbers)
    person = {"name": "Cleo Martin", "email": f"cleo{number}@example.org", **customer}
    with transaction():
        _add(Customer(id=customer_id, vendor_id=shop.vendor_id, **person))
        made = cards.create(actor=shop.ben, customer_id=customer_id)
    card = Card(made.card_id, customer_id, made.card_number, made.scan_code, made.public_token)
    for balance, correct in ((stamps, adjustments.adjust_stamps), (points, adjustments.adjust_points)):
        if balance:
            correct(actor=shop.ada, card=card.ref, delta=balance, reason="opening balance", key=make_key(shop.ada))
    return card


def make_reward(shop: Shop, name: str = "Cake", points_required: int = 100, **columns: Any) -> str:
    """Make a reward that points buy; returns its public id."""
    public_id = secrets.token_urlsafe(6)
    with transaction():
        _add(
            Reward(
                program_id=shop.program_id,
                vendor_id=shop.vendor_id,
                public_id=public_id,
                name=name,
                points_required=points_required,
                **columns,
            )
        )
    return public_id


def change_program(shop: Shop, **columns: Any) -> None:
    """Change the program's settings behind the back of its service."""
    with transaction():
        program = db.session.get_one(LoyaltyProgram, shop.program_id)
        for name, value in columns.items():
            setattr(program, name, value)


def change_policy(shop: Shop, **columns: Any) -> None:
    """Change what the platform's admin allows."""
    with transaction():
        policy = db.session.get_one(VendorPolicy, shop.vendor_id)
        for name, value in columns.items():
            setattr(policy, name, value)


def _add(row: object) -> None:
    db.session.add(row)
    db.session.flush()
