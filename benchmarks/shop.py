"""The shops that are measured: one works through HTTP, the rows of the other belong to pgbench."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from config import ROOT, Config
from loyalty.app import create_app
from loyalty.database import clock, db, new_id, transaction
from loyalty.domain.codes import make_card_number, make_scan_code
from loyalty.domain.ledger import GENESIS
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.embedded import Servers, servers
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.programs import LoyaltyProgram
from loyalty.services import accounts, cards, pins, terminals, vendors
from tests.apple_passes import certificates

CARDS = 1_000
TABLETS = 8
# Cards that pgbench finds by a number: the identifier is this prefix and the number in hexadecimal digits.
PREFIX, FIRST = "00000000-0000-7000-8000-", 1 << 44
MOST_STAMPS_A_DAY = 50


@dataclass(frozen=True)
class Tablet:
    """A paired tablet with an open staff session, and a PIN for requests that bring one."""

    token: str
    staff_pin_id: UUID
    pin: str


@dataclass(frozen=True)
class Shop:
    """A shop that never refuses a stamp, its cards and its tablets."""

    vendor_id: UUID
    owner: Actor
    cards: list[UUID]
    tablets: list[Tablet]


@dataclass(frozen=True)
class Stand:
    """Everything that a measurement needs: running servers, the application, and the settings of a web server."""

    servers: Servers
    app: Flask
    env: dict[str, str]


@contextmanager
def stand(folder: Path, port: int) -> Iterator[Stand]:
    """Run durable servers on files of their own, migrated, while the block lasts."""
    with servers(folder, durable=True, env=os.environ) as running:
        env = {
            **os.environ,
            "DATABASE_URL": running.database_url,
            "DATABASE_OWNER_URL": running.database_owner_url,
            "REDIS_URL": running.redis_url,
            "SECRET_KEY": secrets.token_urlsafe(32),
            "PIN_PEPPER": secrets.token_urlsafe(32),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "PORT": str(port),
            "DATA_DIR": str(folder),
            "RATE_LIMITS": "off",
            **_apple_settings(),
        }
        app = create_app(Config.from_env(env))
        with app.app_context():
            upgrade(directory=str(ROOT / "migrations"))
        yield Stand(running, app, env)
        with app.app_context():
            db.engine.dispose()


def make_shop(code: str, *, number_of_cards: int = CARDS) -> Shop:
    """Make a shop with tablets and real cards, each with its first row in the ledger."""
    owner, store_id = _open(code)
    made = []
    with transaction():
        for number in range(number_of_cards):
            customer_id = _customer(owner, f"customer{number}@{code}.example")
            made.append(cards.create(actor=owner, customer_id=customer_id).card_id)
    return Shop(owner.vendor_id, owner, made, [tablet(owner, store_id, number) for number in range(TABLETS)])


def make_rows(code: str) -> Shop:
    """Make a shop for pgbench: cards whose identifiers can be counted, and a tablet to take the statements from."""
    owner, store_id = _open(code)
    with transaction():
        program_id = db.session.scalars(
            sa.select(LoyaltyProgram.id).where(LoyaltyProgram.vendor_id == owner.vendor_id)
        ).one()
        for number in range(1, CARDS + 1):
            db.session.add(
                LoyaltyCard(
                    id=card_id(number),
                    program_id=program_id,
                    customer_id=_customer(owner, f"customer{number}@{code}.example"),
                    vendor_id=owner.vendor_id,
                    card_number=make_card_number(),
                    scan_code=make_scan_code(),
                    public_token=secrets.token_urlsafe(16),
                    ledger_head=GENESIS,
                )
            )
    ids = [card_id(number) for number in range(1, CARDS + 1)]
    return Shop(owner.vendor_id, owner, ids, [tablet(owner, store_id, 0)])


def card_id(number: int) -> UUID:
    """Return the identifier of the card that pgbench knows by a number."""
    return UUID(f"{PREFIX}{FIRST + number:x}")


def new_key(actor: Actor) -> RequestKey:
    """Make the key of a new request."""
    return RequestKey(actor.caller, secrets.token_urlsafe(18), secrets.token_hex(8))


def tablet(owner: Actor, store_id: UUID, number: int) -> Tablet:
    """Pair a tablet and open a staff session on it."""
    code = terminals.create_code(actor=owner, store_id=store_id, label=f"Counter {number}", key=new_key(owner)).code
    made = pins.create(actor=owner, name=f"Ben {number}", role="staff", store_id=None, key=new_key(owner))
    if code is None or made.pin is None:
        raise RuntimeError("a new key was answered with a stored receipt")
    paired = terminals.pair(code=code, source_ip=None, at=clock())
    till = Actor(owner.vendor_id, Role.STAFF, store_id=store_id, terminal_id=paired.terminal_id)
    terminals.open_session(actor=till, pin=made.pin, staff_pin_id=made.staff_pin_id, at=clock())
    return Tablet(paired.token, made.staff_pin_id, made.pin)


def _apple_settings() -> dict[str, str]:
    made = certificates()
    return {
        "APPLE_TEAM_ID": made.team_id,
        "APPLE_PASS_TYPE_ID": made.pass_type_id,
        "APPLE_PASS_CERT_FILE": str(made.certificate),
        "APPLE_PASS_KEY_FILE": str(made.key),
        "APPLE_WWDR_FILE": str(made.wwdr),
        # Nobody listens there; the workers that push are told another address.
        "APNS_URL": "https://127.0.0.1:9",
    }


def _open(code: str) -> tuple[Actor, UUID]:
    made = vendors.create(name=code.title(), store_name="Main Street", code=code)
    user_id = accounts.create_owner(
        vendor_id=made.vendor_id, email=f"owner@{code}.example", password=secrets.token_urlsafe(16)
    )
    with transaction():
        mine = sa.update(LoyaltyProgram).where(LoyaltyProgram.vendor_id == made.vendor_id)
        db.session.execute(
            mine.values(
                is_active=True,
                activated_at=datetime.now(UTC),
                cooldown_minutes=0,
                max_daily_stamps=MOST_STAMPS_A_DAY,
            )
        )
    return Actor(vendor_id=made.vendor_id, role=Role.OWNER, user_id=user_id), made.store_id


def _customer(owner: Actor, email: str) -> UUID:
    customer_id = new_id()
    db.session.add(Customer(id=customer_id, vendor_id=owner.vendor_id, email=email))
    db.session.flush()
    return customer_id
