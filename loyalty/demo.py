"""A shop to try everything with: Ada's bakery, its staff, its customers and their history.

Every step looks first at what is there, so a demo that was interrupted is finished by the next run.
"""

import json
import os
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from config import Config
from loyalty import database
from loyalty.database import db
from loyalty.domain.joining import JoinForm
from loyalty.domain.values import Actor, Admin, CardRef, RequestKey, Role, Scope
from loyalty.models.cards import LoyaltyCard
from loyalty.models.pins import StaffPin
from loyalty.models.users import User
from loyalty.models.vendors import Store, Vendor
from loyalty.services import (
    accounts,
    api_keys,
    card_views,
    enrolment,
    links,
    onboarding,
    onboarding_steps,
    pairing,
    passes,
    pins,
    points,
    programs,
    rewards,
    stamps,
    vendors,
)

CODE, ZONE = "bakery", "Europe/Luxembourg"
OWNER, ADMIN, CUSTOMER = "ada@bakery.example.com", "admin@platform.example.com", "cleo@example.com"
PROGRAM = {
    "loyalty_type": "hybrid",
    "stamps_target": 10,
    "stamps_reward_description": "Free coffee and croissant",
    "stamps_reward_value_cents": 540,
    "max_stamps_per_action": 3,
    "points_per_euro": 10,
    "card_name": "Ada's Bakery Card",
    "card_color": "#0F766E",
    "card_secondary_color": "#F59E0B",
}
REWARDS = (("Croissant", 150, 180), ("Box of six macarons", 600, 890), ("Birthday cake", 2000, 3200))
FIRST = ("Lena", "Marc", "Sofia", "Tom", "Nora", "Luc", "Anna", "Felix", "Julie", "Yann", "Clara", "Noah")
LAST = ("Weber", "Schmit", "Klein", "Thill", "Reuter", "Wagner", "Kieffer", "Braun", "Rossi", "Silva", "Meyer")

# What `flask demo --json` prints; a pass has no address where Apple passes are off.
Shop = dict[str, str | None]
KEYS = (
    "vendor_code",
    "store_code",
    "api_key",
    "platform_api_key",
    "staff_pin",
    "manager_pin",
    "owner_email",
    "owner_password",
    "admin_email",
    "admin_password",
    "terminal_pairing_code",
    "card_number",
    "card_url",
    "apple_pass_url",
)


class DemoError(Exception):
    """The demo cannot be made; the text is one line."""


def seed(config: Config, *, size: int = 0) -> Shop:
    """Make what is missing of the demo and return how to sign in; the pairing code is fresh each time."""
    path = config.data_dir / "demo.json"
    vendor_id = db.session.scalar(select(Vendor.id).where(Vendor.code == CODE))
    if vendor_id is None:
        shop = dict.fromkeys(KEYS)
        shop |= {"owner_email": OWNER, "owner_password": secrets.token_urlsafe(12)}
        shop |= {"admin_email": ADMIN, "admin_password": secrets.token_urlsafe(12)}
        _keep(path, shop)
        vendor_id = _open(shop)
    elif not path.exists():
        raise DemoError(f"The shop is there but {path} with its sign-ins is not: bring that file back.")
    shop = _read(path)
    owner, store = _owner(vendor_id), _store(vendor_id)
    _set_up(owner, shop)
    _hire(owner, shop)
    _hand_out_keys(owner, shop)
    _keep(path, shop)
    staff = _staff(vendor_id, store.id)
    _enrol_cleo(staff, shop, config)
    _enrol_crowd(staff, size, config)
    code = pairing.create_code(actor=owner, store_id=store.id, label="Counter tablet", key=_key())
    shop |= {"vendor_code": CODE, "store_code": store.code, "terminal_pairing_code": code.code}
    _keep(path, shop)
    return shop


def describe(shop: Shop, public_url: str) -> str:
    """Say where to look, and how to sign in there."""
    lines = {
        "Start page": f"{public_url}/",
        "Join": f"{public_url}/join/{shop['vendor_code']}",
        "Cleo's card": shop["card_url"],
        "  Apple pass": shop["apple_pass_url"] or "none: `flask wallet dev-certs` makes certificates to try it",
        "Terminal": f"{public_url}/terminal",
        "  pair with": f"{shop['terminal_pairing_code']}   (10 minutes, once; `flask demo` makes another)",
        "  PIN": f"{shop['staff_pin']} of Ben, cashier; {shop['manager_pin']} of Ada, manager",
        "Office": f"{public_url}/office   {shop['owner_email']}   {shop['owner_password']}",
        "Admin": f"{public_url}/admin   {shop['admin_email']}   {shop['admin_password']}",
        "Programs": f"{public_url}/api/v1/docs   {shop['api_key']}",
    }
    return "\n".join(f"{name:12} {value}" for name, value in lines.items())


def _keep(path: Path, shop: Shop) -> None:
    """Write down what the database holds only as hashes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({name: shop.get(name) for name in KEYS}, file, indent=2)
    half.rename(path)


def _read(path: Path) -> Shop:
    known = json.loads(path.read_text(encoding="utf-8"))
    return {name: known.get(name) for name in KEYS}


def _key() -> RequestKey:
    return RequestKey(caller="demo", key=f"demo-{uuid4()}", request_hash="demo")


def _open(shop: Shop) -> UUID:
    made = onboarding.open_vendor(
        code=CODE,
        name="Ada's Bakery",
        store_name="Market Square",
        owner_email=OWNER,
        owner_password=str(shop["owner_password"]),
        locale="en",
        timezone=ZONE,
        country="LU",
        currency="EUR",
    )
    return made.vendor_id


def _owner(vendor_id: UUID) -> Actor:
    user_id = db.session.execute(select(User.id).where(User.email == OWNER)).scalar_one()
    return Actor(vendor_id=vendor_id, role=Role.OWNER, user_id=user_id)


def _store(vendor_id: UUID) -> Store:
    return db.session.execute(
        select(Store).where(Store.vendor_id == vendor_id).order_by(Store.id).limit(1)
    ).scalar_one()


def _staff(vendor_id: UUID, store_id: UUID) -> Actor:
    ben = select(StaffPin.id).where(StaffPin.vendor_id == vendor_id, StaffPin.name == "Ben", StaffPin.active)
    staff_pin_id = db.session.execute(ben.limit(1)).scalar_one()
    return Actor(vendor_id=vendor_id, role=Role.STAFF, store_id=store_id, staff_pin_id=staff_pin_id, staff_name="Ben")


def _set_up(owner: Actor, shop: Shop) -> None:
    if not programs.get(actor=owner).is_active:
        vendors.change_settings(actor=owner, changes={"ask_name": True, "pin_length": 6}, key=_key())
        programs.change(actor=owner, changes=PROGRAM, key=_key())
        programs.activate(actor=owner, key=_key())
        onboarding_steps.place_poster(actor=owner, key=_key())
    if not rewards.list_all(actor=owner):
        for name, price, value in REWARDS:
            details = {"name": name, "points_required": price, "value_cents": value}
            rewards.create(actor=owner, details=details, key=_key())
    if db.session.scalar(select(User.id).where(User.email == ADMIN)) is None:
        accounts.create_user(email=ADMIN, password=str(shop["admin_password"]), is_admin=True)


def _hire(owner: Actor, shop: Shop) -> None:
    """Give Ben and Ada a PIN; one that was made but not written down is made again."""
    known = {person.name: person.staff_pin_id for person in pins.list_all(actor=owner) if person.active}
    for field, name, role in (("staff_pin", "Ben", "staff"), ("manager_pin", "Ada", "manager")):
        if name not in known:
            shop[field] = pins.create(actor=owner, name=name, role=role, store_id=None, key=_key()).pin
        elif shop[field] is None:
            shop[field] = pins.regenerate(actor=owner, staff_pin_id=known[name], key=_key()).pin


def _hand_out_keys(owner: Actor, shop: Shop) -> None:
    """Make a key for the shop's software and one for the platform's; one that was not written down is revoked."""
    wanted: tuple[tuple[str, Actor | Admin, Scope], ...] = (
        ("api_key", owner, Scope.MANAGE),
        ("platform_api_key", Admin(user_id=_admin()), Scope.PLATFORM),
    )
    for field, actor, scope in wanted:
        if shop[field] is None:
            for row in api_keys.list_all(actor=actor):
                if row.name == "Demo" and row.state != "revoked":
                    api_keys.revoke(actor=actor, api_key_id=row.api_key_id, key=_key())
            shop[field] = api_keys.create(actor=actor, name="Demo", scope=scope, key=_key()).api_key


def _admin() -> UUID:
    return db.session.execute(select(User.id).where(User.email == ADMIN)).scalar_one()


def _enrol_cleo(staff: Actor, shop: Shop, config: Config) -> None:
    begin = datetime.now(UTC) - timedelta(days=40)
    with _clock(begin, config):
        form = JoinForm(email=CUSTOMER, name="Cleo Martin")
        cleo = enrolment.enrol_at_counter(actor=staff, form=form, key=_key())
    if cleo.created:
        for day in (38, 31, 27, 20, 13, 6, 2):
            _visit(staff, cleo.card_id, _opening(begin + timedelta(days=40 - day), 0.3), random.Random(day), config)
    card = card_views.get_at_counter(actor=staff, card_id=cleo.card_id, at=datetime.now(UTC))
    shop |= {"card_number": card.card_number, "card_url": links.card(card.public_token)}
    shop |= {"apple_pass_url": passes.find_apple_link(public_token=card.public_token)}


def _enrol_crowd(staff: Actor, size: int, config: Config) -> None:
    """Enrol until the shop has `size` cards, each with the visits of a customer of its own habits."""
    count = select(func.count()).select_from(LoyaltyCard).where(LoyaltyCard.vendor_id == staff.vendor_id)
    for number in range(db.session.execute(count).scalar_one(), size):
        # Each customer is always the same one, whatever was made before.
        chance = random.Random(number)
        now = datetime.now(UTC)
        joined = _opening(now - timedelta(days=chance.randint(1, 180)), chance.random())
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        # By phone, so that nobody is written to.
        form = JoinForm(phone=f"+352621{number:06}", name=name)
        with _clock(joined, config):
            card_id = enrolment.enrol_at_counter(actor=staff, form=form, key=_key()).card_id
        every = chance.choice((2, 4, 7, 14, 30))
        at = joined + timedelta(days=1 + chance.expovariate(1 / every))
        while at < now - timedelta(days=1):
            _visit(staff, card_id, _opening(at, chance.random()), chance, config)
            at += timedelta(days=1 + chance.expovariate(1 / every))


def _visit(staff: Actor, card_id: UUID, at: datetime, chance: random.Random, config: Config) -> None:
    """Stamp, give the purchase's points, and sometimes redeem what is full."""
    card = CardRef(card_id=card_id)
    with _clock(at, config):
        stamped = stamps.add(actor=staff, card=card, quantity=chance.choice((1, 1, 1, 2)), key=_key())
        amount = chance.randint(180, 2400)
        earned = points.earn(actor=staff, card=card, purchase_amount_cents=amount, key=_key())
        if stamped.rewards_available and chance.random() < 0.7:
            stamps.redeem(actor=staff, card=card, key=_key())
        if earned.points_balance >= REWARDS[1][1] and chance.random() < 0.5:
            offer = next(offer for offer in rewards.list_all(actor=_as_manager(staff)) if offer.name == REWARDS[1][0])
            points.redeem(actor=staff, card=card, reward_id=offer.reward_id, key=_key())


def _as_manager(staff: Actor) -> Actor:
    return Actor(vendor_id=staff.vendor_id, role=Role.MANAGER, store_id=staff.store_id)


def _opening(day: datetime, part: float) -> datetime:
    """Return a moment of that day while the shop is open, in the shop's time."""
    local = datetime.combine(day.astimezone(ZoneInfo(ZONE)).date(), time(7), tzinfo=ZoneInfo(ZONE))
    return (local + timedelta(hours=11 * part)).astimezone(UTC)


@contextmanager
def _clock(at: datetime, config: Config) -> Iterator[None]:
    """Let the ledger write as if it were another time."""
    database.configure(clock_offset=at - datetime.now(UTC))
    try:
        yield
    finally:
        database.configure(clock_offset=config.clock_offset)
