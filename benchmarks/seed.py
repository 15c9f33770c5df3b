"""`python -m benchmarks.seed FOLDER`: fill a database of its own with as much as a large platform has after a year.

Everything is drawn from fixed chances: the same numbers give the same shops, names and histories. Shops differ in size
as in life (the second has half of what the first has, the third a third), and so do their customers.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import psycopg
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from benchmarks import laid_aside
from benchmarks.history import COLUMNS, History, Place, line, make_id, make_visits
from config import ROOT, Config
from loyalty.app import create_app
from loyalty.database import db, transaction
from loyalty.domain.codes import SCAN_ALPHABET, SCAN_LENGTH, number_check_digit, scan_check_letter
from loyalty.embedded import servers
from loyalty.models.pins import StaffPin
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.terminals import Terminal
from loyalty.models.vendors import Store
from loyalty.services import stats_rollup, vendors

# What sessions and PINs hang on; the data is nobody's, so it may be known.
SECRETS = {
    "SECRET_KEY": "the-key-of-a-database-of-drawn-shops",
    "PIN_PEPPER": "the-pepper-of-a-database-of-drawn-shops",
}
END = datetime(2026, 11, 20, 18, tzinfo=UTC)
DAYS = 365
CARDS_AT_ONCE = 500
FIRST = ("Lena", "Marc", "Sofia", "Tom", "Nora", "Luc", "Anna", "Felix", "Julie", "Yann", "Clara", "Noah", "Zoé", "Eva")
LAST = (
    "Weber",
    "Schmit",
    "Klein",
    "Thill",
    "Reuter",
    "Wagner",
    "Kieffer",
    "Braun",
    "Rossi",
    "Silva",
    "Da-Costa",
    "Weis",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
CUSTOMER = ("id", "vendor_id", "email", "phone", "name", "locale", "marketing_consent", "created_at", "updated_at")
SUMS = ("ledger_seq", "stamps_redeemed", "points_redeemed", "last_stamp_at", "last_points_at", "last_redemption_at")
CARD = (
    *("id", "program_id", "customer_id", "vendor_id", "enrolled_at_store_id", "card_number", "scan_code"),
    *("public_token", "stamp_count", "total_stamps_earned", "points_balance", "total_points_earned", *SUMS),
    *("total_points_voided", "last_activity_at", "ledger_at", "ledger_head", "stamps_day", "stamps_on_day"),
    *("is_active", "created_at", "updated_at"),
)


@dataclass(frozen=True, slots=True)
class Work:
    """Some cards of a shop: the number of the first, and how many rows each has."""

    url: str
    place: Place
    first: int
    rows: list[int]


def main() -> int:
    """Fill a new database, count its statistics, and say how long that took and how much it is."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    options.folder.chmod(0o711)
    # It is made once and thrown away: nothing has to survive a power cut.
    with servers(options.folder, durable=False, env=os.environ) as running:
        env = {**os.environ, **SECRETS, "DATABASE_URL": running.database_url, "REDIS_URL": running.redis_url}
        env |= {"DATABASE_OWNER_URL": running.database_owner_url, "DATA_DIR": str(options.folder)}
        app = create_app(Config.from_env(env | {"PUBLIC_URL": "http://127.0.0.1:5000"}))
        with app.app_context():
            upgrade(directory=str(ROOT / "migrations"))
            fill(running.database_owner_url, options.vendors, options.cards, options.rows, options.stores)
            if options.stats:
                _count(app)
            size = db.session.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one()
            print(f"{size / 1_000_000:,.0f} MB in all")
            db.session.remove()
            db.engine.dispose()
    return 0


def fill(owner_url: str, number_of_vendors: int, number_of_cards: int, number_of_rows: int, stores: int = 1) -> None:
    """Make shops of at least so many stores, cards and rows in an empty database."""
    url = sa.make_url(owner_url).set(drivername="postgresql").render_as_string(hide_password=False)
    sizes = _shares([1 / number for number in range(1, number_of_vendors + 1)], number_of_cards)
    chance = Random(0)
    rows = _shares([chance.expovariate(1) + 0.02 for _ in range(number_of_cards)], number_of_rows)
    with _said("shops"):
        places = [open_shop(number, size, stores) for number, size in enumerate(sizes, 1)]
    with psycopg.connect(url, autocommit=True) as connection:
        put_back = laid_aside.lay_aside(connection, "loyalty_transactions")
        with _said("cards and rows"), ProcessPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(write_cards, _parts(url, places, sizes, rows)):
                pass
        with _said("indexes and foreign keys"):
            laid_aside.put_back(connection, put_back)
        with _said("VACUUM ANALYZE"):
            connection.execute("VACUUM ANALYZE")


def _count(app: Flask) -> None:
    with _said("statistics"):
        stats_rollup.start_over()
        while (done := stats_rollup.roll_up(at=datetime.now(UTC))).cards or done.days:
            print(f"{done.cards} cards, {done.days} days counted, {done.left} days left", file=sys.stderr)
    engine: sa.Engine = app.extensions["sqlalchemy"].engine
    engine.dispose()


def open_shop(number: int, cards: int, least: int = 1) -> Place:
    """Make a shop with as many stores and people as it needs; nobody can enter with their PINs."""
    made = vendors.create(name=f"Shop {number}", store_name="Main Street", code=f"shop-{number}")
    stores = [made.store_id]
    staff = [StaffPin(vendor_id=made.vendor_id, name=f"Ben {n}", pin_hash=f"{n}", pepper_id="-") for n in range(3)]
    with transaction():
        number_of_stores = max(least, 1 + min(9, cards // 200))
        more = [Store(vendor_id=made.vendor_id, code=f"s{n}", name=f"Street {n}") for n in range(number_of_stores - 1)]
        db.session.add_all([*more, *staff])
        db.session.flush()
        stores += [store.id for store in more]
        terminals = [Terminal(vendor_id=made.vendor_id, store_id=one, label="Counter", paired_at=END) for one in stores]
        db.session.add_all(terminals)
        db.session.flush()
        mine = sa.update(LoyaltyProgram).where(LoyaltyProgram.vendor_id == made.vendor_id)
        changes = {"is_active": True, "activated_at": END, "loyalty_type": "hybrid", "cooldown_minutes": 0}
        db.session.execute(mine.values(**changes, max_daily_stamps=50))
        pairs = [(str(one), str(terminal.id)) for one, terminal in zip(stores, terminals, strict=True)]
        return Place(str(made.vendor_id), str(made.program_id), pairs, [str(one.id) for one in staff])


def _shares(weights: list[float], whole: int) -> list[int]:
    """Part a whole number by weights, at least one for each."""
    left, total, ends, run = whole - len(weights), sum(weights), [0], 0.0
    for weight in weights:
        run += weight
        ends.append(round(left * run / total))
    return [1 + after - before for before, after in pairwise(ends)]


def _parts(url: str, places: list[Place], sizes: list[int], rows: list[int]) -> Iterator[Work]:
    first = 0
    for place, size in zip(places, sizes, strict=True):
        for begin in range(first, first + size, CARDS_AT_ONCE):
            yield Work(url, place, begin, rows[begin : min(begin + CARDS_AT_ONCE, first + size)])
        first += size


def write_cards(work: Work) -> None:
    """Write some cards with their customers and histories, as one transaction."""
    made = [_card(work, number) for number in range(work.first, work.first + len(work.rows))]
    with psycopg.connect(work.url) as connection, connection.cursor() as cursor:
        customers, cards, _histories = zip(*made, strict=True)
        for table, columns, rows in (("customers", CUSTOMER, customers), ("loyalty_cards", CARD, cards)):
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy:
                copy.write("".join(rows))
        with cursor.copy(f"COPY loyalty_transactions ({', '.join(COLUMNS)}) FROM STDIN".encode()) as copy:
            for one in made:
                copy.write("".join(one[2].rows))
        details = b"COPY transaction_details (transaction_id, vendor_id, ip_address, user_agent) FROM STDIN"
        with cursor.copy(details) as copy:
            for one in made:
                copy.write("".join(one[2].details))


def _card(work: Work, number: int) -> tuple[str, str, History]:
    chance, place, rows = Random(number), work.place, work.rows[number - work.first]
    begin = END - timedelta(days=2 + chance.randrange(DAYS - 2), seconds=chance.randrange(30_000))
    customer_id, card_id = make_id(begin, chance), make_id(begin, chance)
    name, tail = f"{chance.choice(FIRST)} {chance.choice(LAST)}", "".join(chance.choices(LETTERS, k=4)).title()
    phone = f"+352621{number:06}" if number % 2 else None
    customer = (
        customer_id,
        place.vendor_id,
        f"c{number}@example.com",
        phone,
        f"{name}-{tail}",
        "en",
        "f",
        begin,
        begin,
    )
    history = History(card_id, place, chance, begin)
    history.write(rows, make_visits(begin, END, rows // 2 + 1, chance))
    body, letters = f"{number:09}", "".join(chance.choices(SCAN_ALPHABET, k=SCAN_LENGTH - 1))
    card = (
        *(card_id, place.program_id, customer_id, place.vendor_id, place.stores[number % len(place.stores)][0]),
        *(body + number_check_digit(body), letters + scan_check_letter(letters), f"drawn-{number:016}"),
        *(history.stamps, history.stamps_earned, history.points, history.points_earned),
        *(getattr(history, "seq" if column == "ledger_seq" else column) for column in SUMS),
        *(0, history.at, history.at, history.head, history.stamps_day, history.stamps_on_day, "t", begin, history.at),
    )
    return line(customer), line(card), history


class _said:
    """Say how long the block took."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        print(f"{self.what}: {time.perf_counter() - self.began:,.0f} s", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed", description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder; 10 million rows need 10 GB in it")
    parser.add_argument("--vendors", type=int, default=1_000)
    parser.add_argument("--cards", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--stores", type=int, default=1, help="what each shop has at least")
    parser.add_argument("--no-stats", dest="stats", action="store_false", help="leave the statistics uncounted")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
