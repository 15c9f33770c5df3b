"""Pages on ten million transactions beside the same pages on ten thousand, in one process, in turn."""

import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from benchmarks.seed import SECRETS
from benchmarks.shop import new_key, tablet
from config import ROOT, Config
from loyalty.app import create_app
from loyalty.database import db, transaction
from loyalty.domain.values import Actor, Role, Scope
from loyalty.embedded import servers
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Vendor, VendorPolicy
from loyalty.services import accounts, api_keys, card_search, user_sessions
from loyalty.services.user_sessions import Visit

# As many shops, stores, months and customers as a page shows of them at once: what differs is what is not shown.
SMALL = ["--vendors", "60", "--cards", "2800", "--rows", "10000", "--stores", "10"]
# What people ask for on pages that can be asked.
QUESTIONS = {
    "office.list_customers": (
        *("page=2", "page=200", "q=Weber", "q=Le", "q=zzzz", "q=c5@example.com", "show=inactive", "show=behind"),
    ),
    "office.list_transactions": (
        *("type=stamp_voided", "type=points_expired", "card={number}", "since=2026-01-01&until=2026-01-31"),
        *("store={store}", "staff={staff}", "older={row}", "newer={row}"),
    ),
    "office.statistics": ("days=7", "days=365", "store={store}"),
    "office.customer_statistics": ("months=24",),
    "office.revenue_statistics": ("days=365",),
    "admin.statistics": ("days=365",),
    "admin.list_vendors": ("q=shop",),
    "api.list_cards": ("limit=100", "search=Weber"),
    "api.list_transactions": ("limit=100", "type=stamp_voided", "from=2026-01-01&to=2026-01-31"),
}
SEARCHES = ("Lena", "Weber", "Le", "zzzz", "c5@example.com", "+352621000005")
LOYALTY = "/api/v1/vendor/loyalty"
Step = Callable[[], object]


@dataclass(slots=True)
class Place:
    """A database with its application, and everything that is asked there, by name."""

    engine: sa.Engine
    steps: dict[str, Step]


@dataclass(slots=True)
class Found:
    """How a page did on one database: statements, status and the milliseconds of each time it was opened."""

    status: object = None
    statements: int = 0
    took: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle of the times."""
        return statistics.median(self.took)

    @property
    def slow(self) -> float:
        """What 19 of 20 times were below."""
        return sorted(self.took)[int(len(self.took) * 0.95)]


@dataclass(slots=True)
class Page:
    """A page on both databases."""

    name: str
    small: Found = field(default_factory=Found)
    large: Found = field(default_factory=Found)


def measure(folder: Path, rounds: int) -> list[Page]:
    """Draw what is missing in the folder, ask for the same on both databases in turn, and return how they did."""
    _draw(folder / "small", SMALL)
    _draw(folder / "large", [])
    with _opened(folder / "small") as small, _opened(folder / "large") as large:
        pages = [Page(name) for name in large.steps if name in small.steps]
        for page in pages:
            _ask(page, small, large, rounds)
        return pages


def table(pages: list[Page]) -> str:
    """The pages as a Markdown table, the slowest first."""
    lines = [
        "| page | statements | 10^4: median (p95) ms | 10^7: median (p95) ms | ratio |",
        "|---|---|---|---|---|",
    ]
    for page in sorted(pages, key=lambda page: -page.large.median):
        small, large = page.small, page.large
        lines.append(
            f"| {page.name} | {large.statements} | {small.median:.1f} ({small.slow:.1f}) "
            f"| {large.median:.1f} ({large.slow:.1f}) | {large.median / small.median:.2f} |"
        )
    return "\n".join(lines)


def _draw(folder: Path, options: list[str]) -> None:
    if not (folder / "pg").exists():
        subprocess.run([sys.executable, "-m", "benchmarks.seed", str(folder), *options], cwd=ROOT, check=True)


@contextmanager
def _opened(folder: Path) -> Iterator[Place]:
    """Run a drawn database as in production, and let somebody into its largest shop."""
    with ExitStack() as stack:
        running = stack.enter_context(servers(folder, durable=True, env=os.environ))
        env = {**os.environ, **SECRETS, "DATABASE_URL": running.database_url, "REDIS_URL": running.redis_url}
        env |= {"DATABASE_OWNER_URL": running.database_owner_url, "DATA_DIR": str(folder), "RATE_LIMITS": "off"}
        app = create_app(Config.from_env(env | {"PUBLIC_URL": "http://localhost"}))
        with app.app_context():
            place = _enter(app)
        yield place
        with app.app_context():
            db.engine.dispose()


def _enter(app: Flask) -> Place:
    """Sign in everybody who may enter somewhere, and put together what they ask for."""
    vendor_id = db.session.scalars(sa.select(Vendor.id).where(Vendor.code == "shop-1")).one()
    name, at = secrets.token_hex(4), datetime.now(UTC)
    user_id = accounts.create_owner(vendor_id=vendor_id, email=f"{name}@example.org", password=secrets.token_hex(9))
    admin_id = accounts.create_user(email=f"{name}@example.net", password=secrets.token_hex(9), is_admin=True)
    owner = Actor(vendor_id, Role.OWNER, user_id=user_id)
    with transaction():
        office = user_sessions.open_new(user_id=user_id, vendor_id=vendor_id, visit=Visit(), at=at)
        admin = user_sessions.open_new(user_id=admin_id, vendor_id=None, visit=Visit(), at=at)
        policy = sa.update(VendorPolicy).where(VendorPolicy.vendor_id == vendor_id)
        db.session.execute(policy.values(staff_pin_policy="disabled"))
    ids = _ids(vendor_id)
    paired = tablet(owner, UUID(ids["store_id"]), 1)
    key = api_keys.create(actor=owner, name=name, scope=Scope.MANAGE, key=new_key(owner)).api_key
    clients = {
        "terminal": _browser(app, terminal=paired.token),
        "office": _browser(app, session=office.token),
        "admin": _browser(app, session=admin.token),
        "public": app.test_client(),
    }
    steps = {name: _page(clients[kind], path, {}) for kind, name, path in _addresses(app, ids) if kind in clients}
    door, headers = app.test_client(), {"Authorization": f"Bearer {key}"}
    steps |= {name: _page(door, path, headers) for kind, name, path in _addresses(app, ids) if kind == "api"}
    return Place(db.engine, steps | _uses(door, headers, UUID(ids["card_id"])) | _searches(app, owner))


def _ids(vendor_id: UUID) -> dict[str, str]:
    """Return what addresses of the shop are filled with: its busiest card, and rows in the middle of its ledger."""
    card = db.session.scalars(
        sa.select(LoyaltyCard)
        .where(LoyaltyCard.vendor_id == vendor_id)
        .order_by(LoyaltyCard.ledger_seq.desc(), LoyaltyCard.id)
        .limit(1)
    ).one()
    mine, row = LoyaltyTransaction.card_id == card.id, LoyaltyTransaction
    last = db.session.scalars(sa.select(row).where(mine, row.transaction_type == "stamp_earned").limit(1)).one()
    return {
        "card_id": str(card.id),
        "customer_id": str(card.customer_id),
        "token": card.public_token,
        "number": card.card_number,
        "code": "shop-1",
        "vendor_code": "shop-1",
        "vendor_id": str(vendor_id),
        "store_id": str(card.enrolled_at_store_id),
        "store": "main",
        "staff_pin_id": str(last.staff_pin_id),
        "staff": str(last.staff_pin_id),
        "terminal_id": str(last.terminal_id),
        "transaction_id": str(last.id),
        "row": str(last.id),
    }


def _addresses(app: Flask, ids: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield each page that people and programs open: whose, its name, its address.

    Left out: pages of what drawn shops have not, and files, which are as long as the ledger.
    """
    for rule in app.url_map.iter_rules():
        arguments = rule.arguments - (rule.defaults or {}).keys()
        if "GET" not in (rule.methods or ()) or arguments - ids.keys() or rule.rule.endswith((".csv", ".zip")):
            continue
        kind = rule.endpoint.partition(".")[0]
        path = app.url_map.bind("localhost").build(rule.endpoint, {name: ids[name] for name in arguments})
        yield kind, rule.endpoint, path
        for question in QUESTIONS.get(rule.endpoint, ()):
            yield kind, f"{rule.endpoint}?{question}", f"{path}?{question.format(**ids)}"


def _page(client: FlaskClient, path: str, headers: dict[str, str]) -> Step:
    return lambda: client.get(path, headers=headers).status_code


def _uses(door: FlaskClient, headers: dict[str, str], card_id: UUID) -> dict[str, Step]:
    """What other software does all day: stamp, and find the card of somebody."""

    def post(path: str, body: dict[str, str]) -> Step:
        def step() -> int:
            said = headers | {"Idempotency-Key": secrets.token_hex(9)}
            return door.post(f"{LOYALTY}{path}", json=body, headers=said).status_code

        return step

    return {
        "api: stamp": post("/stamps", {"card_id": str(card_id)}),
        "api: lookup by phone": post("/cards/lookup", {"phone": "+352621000005"}),
        "api: lookup by e-mail": post("/cards/lookup", {"email": "c5@example.com"}),
    }


def _searches(app: Flask, owner: Actor) -> dict[str, Step]:
    def search(text: str) -> Step:
        def step() -> int:
            with app.app_context():
                return len(card_search.look_up(actor=owner, text=text))

        return step

    return {f"till: search {text}": search(text) for text in SEARCHES}


def _browser(app: Flask, *, terminal: str | None = None, session: str | None = None) -> FlaskClient:
    client = app.test_client()
    if terminal:
        client.set_cookie(app.config["TERMINAL_COOKIE_NAME"], terminal)
    if session:
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = session, True
    return client


def _ask(page: Page, small: Place, large: Place, rounds: int) -> None:
    for number in range(rounds + 1):
        for place, found in ((small, page.small), (large, page.large)):
            with _counted(place.engine, found):
                began = time.perf_counter()
                found.status = place.steps[page.name]()
                took = 1000 * (time.perf_counter() - began)
            # The first opens connections and fills caches.
            if number:
                found.took.append(took)


@contextmanager
def _counted(engine: sa.Engine, found: Found) -> Iterator[None]:
    sent = list[None]()

    def note(*_: object) -> None:
        sent.append(None)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
        found.statements = len(sent)
