"""Two furnished shops next door to each other, everybody's browser, and every address there is."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.routing import Rule

from loyalty.database import db, new_id, transaction
from loyalty.domain.values import Actor, Role
from loyalty.models.outbox import OutboxMessage
from loyalty.models.pins import StaffPin
from loyalty.models.terminals import Terminal
from loyalty.models.users import User, UserSession, VendorMember
from loyalty.models.vendors import Store
from loyalty.services import points, stamps
from loyalty.web.access import Access, access_of
from tests import factories
from tests.furniture import furnish

# What people type, wherever a form leaves it to them.
TYPED = {
    "accept_terms": "y",
    "amount": "12.50",
    "delta": "5",
    "email": "mallory@example.org",
    "label": "Counter",
    "name": "Mallory",
    "order_reference": "R-1",
    "phone": "+352621123456",
    "points_required": "50",
    "purchase_amount_cents": "1250",
    "quantity": "1",
    "reason": "because",
    "staff_pin": "482913",
    "url": "https://hooks.example/in",
}
# What stands in addresses and belongs to nobody.
NAMES = {"mail_kind": "birthday", "mail_locale": "en", "name": "no-such-mail.eml", "proof": "no-such-proof"}
# Surfaces that no person opens: they have no pages and no forms, and tests of their own.
MACHINES = {"api", "apple"}


@dataclass(frozen=True)
class Business:
    """A shop with everything in it, and what its addresses and forms are filled with.

    `words` stand nowhere but in what belongs to this shop.
    """

    shop: factories.Shop
    ids: dict[str, str]
    terminals: dict[str, str]
    sessions: dict[str, str]
    words: list[str]


@dataclass(frozen=True)
class Door:
    """Somebody's browser: the role at the till and in the office, None where there is none; `platform` is its admin."""

    client: FlaskClient
    till: Role | None = None
    office: Role | None = None
    paired: bool = False
    platform: bool = False


# Everybody who works at a shop: whose tablet and whose session it is, and what may be done with them.
INSIDE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "locked terminal": ("locked", "", {"paired": True}),
    "staff session": ("staff", "", {"till": Role.STAFF, "paired": True}),
    "manager session": ("manager", "", {"till": Role.MANAGER, "paired": True}),
    "owner": ("", "owner", {"office": Role.OWNER}),
    "manager": ("", "manager", {"office": Role.MANAGER}),
    "admin": ("", "admin", {"platform": True}),
    "acting admin": ("", "acting", {"office": Role.ADMIN, "platform": True}),
}


_PAIR_AGAIN = (
    sa.update(Terminal)
    .where(Terminal.token_hash == sa.bindparam("whose"))
    .values(
        staff_pin_id=sa.bindparam("who"),
        staff_seen_at=sa.bindparam("seen"),
        last_seen_at=sa.bindparam("at"),
        revoked_at=None,
    )
)
_SIGN_IN_AGAIN = sa.update(UserSession).where(UserSession.token_hash == sa.bindparam("whose"))


def make_business(code: str) -> Business:
    """Make a shop with two stores, staff, tablets, a reward, a customer, a history, and people signed in."""
    shop = factories.make_shop(
        code, loyalty_type="hybrid", cooldown_minutes=0, max_daily_stamps=50, max_stamps_per_action=3
    )
    word = f"{code}sword"
    with transaction():
        db.session.get_one(Store, shop.store_id).name = f"Street {word}"
        db.session.get_one(StaffPin, shop.ben.staff_pin_id).name = f"Ben {word}"
    store_id = factories.make_store(shop, "station", name=f"Station {word}")
    card = factories.make_card(shop, stamps=25, points=5000, name=f"Cleo {word}", email=f"cleo.{word}@mail.example")
    reward_id = factories.make_reward(shop, f"Cake {word}", 50)
    earned = points.earn(
        actor=shop.ben, card=card.ref, purchase_amount_cents=500, key=factories.make_key(shop.ben), order_reference=None
    )
    tablets = {
        "locked": _terminal(shop, None),
        "staff": _terminal(shop, shop.ben),
        "manager": _terminal(shop, shop.mia),
    }
    mia = replace(shop.mia, terminal_id=tablets["manager"][0])
    stamped = stamps.add(actor=mia, card=card.ref, quantity=1, key=factories.make_key(mia))
    with transaction():
        # A server's answer often repeats whom it is about.
        db.session.add(
            OutboxMessage(
                vendor_id=shop.vendor_id,
                kind="mail.card_link",
                subject_id=new_id(),
                not_before=datetime.now(UTC),
                gave_up_at=datetime.now(UTC),
                last_error=f"550 5.1.1 <cleo.{word}@mail.example>: no such mailbox",
            )
        )
    ids = {
        "card_id": card.card_id,
        "transaction_id": stamped.transaction_id,
        "store_id": store_id,
        "staff_pin_id": shop.ben.staff_pin_id,
        "terminal_id": shop.terminal_id,
        "vendor_id": shop.vendor_id,
        "program_id": shop.program_id,
        "customer_id": card.customer_id,
        "reward_id": reward_id,
        "token": card.public_token,
        "vendor_code": code,
        **furnish(shop, card, word),
    }
    typed = {
        "card": card.card_id,
        "q": card.card_number,
        "store": "station",
        "related_transaction_id": earned.transaction_id,
    }
    return Business(
        shop,
        {name: str(value) for name, value in (ids | typed).items()},
        {name: token for name, (_, token) in tablets.items()},
        {name: _session(shop, name) for name in ("owner", "manager", "admin", "acting")},
        [word, card.public_token, card.scan_code],
    )


def doors(app: Flask, business: Business) -> dict[str, Door]:
    """Return the browsers of everybody who works at a shop."""
    return {name: door(app, business, name) for name in INSIDE}


def strangers(app: Flask) -> dict[str, Door]:
    """Return the browsers of nobody: without anything, and with what once was a tablet's cookie."""
    return {"anonymous": Door(_browser(app)), "unpaired": Door(_browser(app, terminal=secrets.token_urlsafe(32)))}


def door(app: Flask, business: Business, name: str) -> Door:
    """Return the browser of somebody who works at a shop, or of a stranger."""
    if name not in INSIDE:
        return strangers(app)[name]
    terminal, session, place = INSIDE[name]
    client = _browser(app, terminal=business.terminals.get(terminal), session=business.sessions.get(session))
    return Door(client, **place)


def reopen(business: Business) -> None:
    """Open again what requests have closed: tablets, staff sessions, sign-ins."""
    shop, at = business.shop, datetime.now(UTC)
    people = {"locked": None, "staff": shop.ben.staff_pin_id, "manager": shop.mia.staff_pin_id}
    tablets = [
        {"whose": _digest(business.terminals[name]), "who": who, "seen": at if who else None, "at": at}
        for name, who in people.items()
    ]
    signed_in = [{"whose": _digest(token), **_place(shop, name)} for name, token in business.sessions.items()]
    with transaction():
        # Asked before every other request: past the session, which would look for what it holds of these rows.
        connection = db.session.connection()
        connection.execute(_PAIR_AGAIN, tablets)
        connection.execute(_SIGN_IN_AGAIN, signed_in)


def may_enter(door: Door, rule: Rule, access: Access) -> bool:
    """Whether whoever stands at this door may use this route at all."""
    role = access.role
    if role is Role.ADMIN:
        return door.platform
    if rule.endpoint.startswith("terminal."):
        return (door.paired or not access.paired) if role is None else role <= (door.till or 0)
    if access.signed_in:
        return door.office is not None or door.platform
    return role is None or role <= (door.office or 0)


def routes(app: Flask) -> Iterator[tuple[Rule, str, Access]]:
    """Yield every address for people with each of its methods, and who may enter."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in MACHINES:
            continue
        access = access_of(app.view_functions[rule.endpoint])
        assert access is not None, rule.endpoint
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method, access


def arguments(rule: Rule) -> set[str]:
    """Return what has to be filled in an address."""
    return rule.arguments - (rule.defaults or {}).keys()


def address(app: Flask, rule: Rule, ids: dict[str, str]) -> str:
    """Fill an address; a new kind of argument has to be taught to `make_business` first."""
    values = {name: (ids | NAMES)[name] for name in arguments(rule)}
    built: str = app.url_map.bind("localhost").build(rule.endpoint, values)
    return built


def csrf(app: Flask, client: FlaskClient) -> str:
    """Return a token that fits the browser's session."""
    with client.session_transaction() as session:
        raw = session.setdefault("csrf_token", hashlib.sha1(b"a token").hexdigest())
    secret = app.secret_key
    assert isinstance(secret, str)
    return str(URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(raw))


def _terminal(shop: factories.Shop, who: Actor | None) -> tuple[UUID, str]:
    terminal_id, token = factories.make_terminal(shop.vendor_id, shop.store_id)
    if who is not None:
        factories.open_session(replace(shop, terminal_id=terminal_id), who)
    return terminal_id, token


def _place(shop: factories.Shop, role: str) -> dict[str, object]:
    """Say where somebody's session is open: in a shop, for a shop, or in none."""
    until = datetime.now(UTC) + timedelta(minutes=60)
    acting = {"acting_vendor_id": shop.vendor_id, "acting_until": until} if role == "acting" else {}
    own = shop.vendor_id if role in ("owner", "manager") else None
    return {"ended_at": None, "vendor_id": own, "acting_vendor_id": None, "acting_until": None, **acting}


def _session(shop: factories.Shop, role: str) -> str:
    user_id, token, at = new_id(), secrets.token_urlsafe(32), datetime.now(UTC)
    place = _place(shop, role)
    vendor_id = place["vendor_id"]
    with transaction():
        is_admin = vendor_id is None
        db.session.add(
            User(
                id=user_id, email=f"{role}@{shop.code}.example", password_hash=factories.NO_PASSWORD, is_admin=is_admin
            )
        )
        db.session.flush()
        if vendor_id is not None:
            db.session.add(VendorMember(user_id=user_id, vendor_id=vendor_id, role=role))
        db.session.add(
            UserSession(
                token_hash=_digest(token), user_id=user_id, last_seen_at=at, expires_at=at + timedelta(hours=1), **place
            )
        )
    return token


def _browser(app: Flask, *, terminal: str | None = None, session: str | None = None) -> FlaskClient:
    client = app.test_client()
    if terminal:
        client.set_cookie(app.config["TERMINAL_COOKIE_NAME"], terminal)
    if session:
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = session, True
    return client


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
