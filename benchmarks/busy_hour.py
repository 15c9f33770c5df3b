"""`python -m benchmarks.busy_hour FOLDER FOLDER …`: what the sweep takes to count a busy hour, on drawn platforms.

Rows are written as tills would have written them, chained and summed up, on the last day that was drawn; then the
statistics are rolled up until nothing is left. The folders take turns, and what was written stays there.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median

import psycopg
import sqlalchemy as sa
from flask import Flask
from psycopg.rows import dict_row

from benchmarks.history import COLUMNS, History, Place
from benchmarks.seed import END, SECRETS
from config import Config
from loyalty.app import create_app
from loyalty.database import db
from loyalty.embedded import servers
from loyalty.services import stats_rollup

SHOPS, ROWS, ROUNDS = 200, 20_000, 3
KEPT = ("seq", "head", "stamps", "points", "stamps_earned", "points_earned")
_CARDS = """
    SELECT id::text AS card_id, ledger_seq AS seq, ledger_head AS head, stamp_count AS stamps,
           points_balance AS points, total_stamps_earned AS stamps_earned, total_points_earned AS points_earned
    FROM loyalty_cards WHERE vendor_id = %s ORDER BY card_number LIMIT 100
"""
_WRITTEN = """
    UPDATE loyalty_cards SET ledger_seq = %(seq)s, ledger_head = %(head)s, ledger_at = %(at)s,
        stamp_count = %(stamps)s, points_balance = %(points)s, total_stamps_earned = %(stamps_earned)s,
        total_points_earned = %(points_earned)s, last_stamp_at = %(at)s, last_activity_at = %(at)s
    WHERE id = %(card_id)s
"""
Connection = psycopg.Connection[dict[str, object]]


def main() -> int:
    """Write the hours and count them, in turn; print the medians."""
    took: dict[Path, list[float]] = {Path(name): [] for name in sys.argv[1:]}
    for number in range(ROUNDS):
        for folder, seconds in took.items():
            with _opened(folder) as (app, owner_url):
                _write_hour(owner_url, number)
                seconds.append(_count(app))
                print(f"{folder.name}: {seconds[-1]:.1f} s, load {os.getloadavg()[0]:.1f}", flush=True)
    for folder, seconds in took.items():
        print(f"{folder.name}: {median(seconds):.1f} s ({min(seconds):.1f}-{max(seconds):.1f})")
    return 0


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[Flask, str]]:
    with servers(folder, durable=True, env=os.environ) as running:
        env = {**os.environ, **SECRETS, "DATABASE_URL": running.database_url, "REDIS_URL": running.redis_url}
        env |= {"DATABASE_OWNER_URL": running.database_owner_url, "DATA_DIR": str(folder)}
        app = create_app(Config.from_env(env | {"PUBLIC_URL": "http://localhost"}))
        url = sa.make_url(running.database_owner_url).set(drivername="postgresql")
        with app.app_context():
            _roll_up()  # warm, and nothing is left of before
            yield app, url.render_as_string(hide_password=False)
            db.session.remove()
            db.engine.dispose()


def _count(app: Flask) -> float:
    with app.app_context():
        began = time.perf_counter()
        cards = _roll_up()
        if not cards:
            raise RuntimeError("the hour was not found")
        return time.perf_counter() - began


def _roll_up() -> int:
    cards = 0
    while (done := stats_rollup.roll_up(at=datetime.now(UTC))).cards or done.left:
        cards += done.cards
    return cards


def _write_hour(owner_url: str, number: int) -> None:
    """Write a stamp after another in the largest shops, each card of a shop in turn."""
    chance, begin = Random(number), END + timedelta(minutes=20 * number)
    with psycopg.connect(owner_url, row_factory=dict_row) as connection, connection.cursor() as cursor:
        written = [card for place in _places(connection) for card in _histories(connection, place, chance, begin)]
        with cursor.copy(f"COPY loyalty_transactions ({', '.join(COLUMNS)}) FROM STDIN".encode()) as copy:
            for card in written:
                copy.write("".join(card.rows))
        cursor.executemany(
            _WRITTEN, [{name: getattr(card, name) for name in (*KEPT, "at", "card_id")} for card in written]
        )


def _histories(connection: Connection, place: Place, chance: Random, begin: datetime) -> list[History]:
    found = connection.execute(_CARDS, [place.vendor_id]).fetchall()
    # What a row holds under which name is known to the query alone.
    cards = [History(place=place, chance=chance, begin=begin, **row) for row in found]  # type: ignore[arg-type] # see above
    for turn in range(ROWS // SHOPS):
        cards[turn % len(cards)].stamp_at(begin + timedelta(seconds=10 * turn))
    return [card for card in cards if card.rows]


def _places(connection: Connection) -> list[Place]:
    query = "SELECT id::text FROM vendors WHERE code LIKE 'shop-%%' ORDER BY substr(code, 6)::int LIMIT %s"
    shops = [str(row["id"]) for row in connection.execute(query, [SHOPS])]
    return [_place(connection, vendor_id) for vendor_id in shops]


def _place(connection: Connection, vendor_id: str) -> Place:
    def ids(query: str) -> list[list[str]]:
        return [list(map(str, row.values())) for row in connection.execute(query.encode(), [vendor_id])]

    terminals = ids("SELECT store_id, id FROM terminals WHERE vendor_id = %s ORDER BY id")
    (program_id,) = ids("SELECT id FROM loyalty_programs WHERE vendor_id = %s")[0]
    staff = ids("SELECT id FROM staff_pins WHERE vendor_id = %s ORDER BY id")
    return Place(vendor_id, program_id, [(store, one) for store, one in terminals], [one for (one,) in staff])


if __name__ == "__main__":
    sys.exit(main())
