"""`python -m benchmarks`: measure stamps, PINs, latency, the ledger and wallets beside their limits. Ends by itself."""

import argparse
import logging
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import bcrypt
import psycopg
import sqlalchemy as sa
from flask import Flask

from benchmarks import api, limit, load, report, scale, wallets
from benchmarks.report import Line
from benchmarks.shop import Shop, Stand, make_rows, make_shop, stand
from config import ROOT
from loyalty.domain.pins import COST
from loyalty.services import verification


def main() -> int:
    """Measure, print the table, write the page."""
    options = _options()
    before = os.getloadavg()
    logging.disable(logging.WARNING)
    if options.only == "scale":
        print(scale.table(scale.measure(options.folder, options.rounds)))
        return 0
    with tempfile.TemporaryDirectory(prefix="loyalty-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        port = _free_port()
        with stand(folder, port) as ground:
            with ground.app.app_context():
                rows = make_rows("limit")
            lines = []
            if options.only in (None, "till"):
                lines += _measure(ground, rows, folder, port, options.rounds, options.seconds)
            if options.only in (None, "api"):
                lines += api.measure(ground, rows, folder, port, options.rounds, max(1, options.seconds // 3))
            if options.only in (None, "wallets"):
                lines += wallets.measure(ground, folder, port, options.rounds, options.seconds)
            around = report.surroundings(_version(ground), before)
    print("\n".join(around), report.table(lines), report.MEANING, sep="\n")
    if options.write and not options.only:
        report.write(lines, around, ROOT / "docs" / "performance.md")
    return 0


def _measure(ground: Stand, rows: Shop, folder: Path, port: int, rounds: int, seconds: int) -> list[Line]:
    with ground.app.app_context():
        shop = make_shop("bench")
    scripts = _scripts(ground.app, rows, folder)
    least = Line("pgbench, the stamp's transaction", "per second")
    whole = Line("pgbench, all statements of the request", "per second")
    stamps = Line("stamps at the terminal", "per second", limit=least, goal=0.12)
    checks = Line("bcrypt checks", "per second")
    with_pin = Line("stamps with a PIN each", "per second", limit=checks, goal=0.9)
    url, programs = ground.servers.database_url, Path(ground.servers.postgres_bin)
    with load.web_server(ground.env, port, folder / "web.log"):
        load.closed_loop(port, shop.tablets, shop.cards, 2)  # warm
        for _ in range(rounds):
            least.figures.append(limit.run(programs, url, scripts[0], seconds))
            stamps.figures.append(load.closed_loop(port, shop.tablets, shop.cards, seconds))
            whole.figures.append(limit.run(programs, url, scripts[1], seconds))
            checks.figures.append(_bcrypt(seconds / 2))
            with_pin.figures.append(load.closed_loop(port, shop.tablets, shop.cards, seconds / 2, with_pin=True))
        middle, slow = _latency(port, shop, stamps.median / 2, seconds * 2)
    beside = Line("the same beside all statements", "per second", stamps.figures, whole)
    return [least, whole, stamps, beside, checks, with_pin, middle, slow, *_verify(ground.app, shop, url, rounds)]


def _scripts(app: Flask, rows: Shop, folder: Path) -> tuple[Path, Path]:
    """Stamp one of pgbench's cards once, and write its statements down: the transaction, and all of the request."""
    client = app.test_client()
    client.set_cookie("terminal", rows.tablets[0].token)
    page = client.get("/terminal").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    key = "the-key-of-the-recorded-stamp"
    address = f"/terminal/cards/{rows.cards[0]}/stamps"
    with limit.recorded(app) as steps:
        answer = client.post(address, data={"csrf_token": token, "key": key}, headers={"HX-Request": "true"})
    if answer.status_code != 200:
        raise RuntimeError(f"the stamp to be recorded was answered with {answer.status_code}")
    paths = folder / "stamp.sql", folder / "request.sql"
    paths[0].write_text(limit.script(limit.transaction_of(steps), rows.cards[0], key), encoding="utf-8")
    paths[1].write_text(limit.script(steps, rows.cards[0], key), encoding="utf-8")
    for path in paths:
        path.chmod(0o644)
    return paths


def _bcrypt(seconds: float) -> float:
    """Hash on all cores for a while, as the PINs are; return checks per second."""
    salt, counts, began = bcrypt.gensalt(COST), [0] * (os.cpu_count() or 1), time.perf_counter()

    def work(place: int) -> None:
        while time.perf_counter() - began < seconds:
            bcrypt.hashpw(b"a" * 64, salt)
            counts[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def _latency(port: int, shop: Shop, rate: float, seconds: int) -> tuple[Line, Line]:
    took = load.open_loop(port, shop.tablets, shop.cards, rate, seconds)
    middle = Line(f"latency at {rate:,.0f} stamps a second, median", "ms", [1000 * took[len(took) // 2]])
    slow = [1000 * took[int(len(took) * 0.99)]]
    return middle, Line("– the slowest of a hundred (p99)", "ms", slow, middle, 4, at_most=True)


def _verify(app: Flask, shop: Shop, url: str, rounds: int) -> tuple[Line, Line]:
    """Replay the ledger that the run has written; it has to be whole."""
    read, verified = Line("psycopg reading the ledger", "rows a second"), Line("ledger verify", "rows a second")
    verified.limit, verified.goal = read, 0.3
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    for _ in range(rounds):
        began = time.perf_counter()
        with psycopg.connect(plain) as connection:
            query = "SELECT * FROM loyalty_transactions WHERE vendor_id = %s ORDER BY card_id, seq"
            rows = len(connection.execute(query, [shop.vendor_id]).fetchall())
        read.figures.append(rows / (time.perf_counter() - began))
        began = time.perf_counter()
        with app.app_context():
            found = verification.verify(vendor_id=shop.vendor_id)
        if found.findings or found.rows != rows:
            raise RuntimeError(f"the ledger is wrong after the run: {found.findings[:3]}, {found.rows} of {rows} rows")
        verified.figures.append(rows / (time.perf_counter() - began))
    return read, verified


def _version(ground: Stand) -> str:
    with ground.app.app_context():
        engine: sa.Engine = ground.app.extensions["sqlalchemy"].engine
        with engine.connect() as connection:
            return str(connection.execute(sa.text("SHOW server_version")).scalar_one()).split(" ")[0]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement, in turn")
    parser.add_argument("--seconds", type=int, default=6, help="seconds of each measurement")
    parser.add_argument(
        "--only", choices=["till", "api", "wallets", "scale"], help="one part; docs/performance.md stays as it is"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "loyalty-scale",
        help="where `--only scale` keeps its two databases",
    )
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/performance.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
