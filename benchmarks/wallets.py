"""Wallets: passes through HTTP, pushes on one connection, and how fast a worker tells phones of a change."""

import math
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import load, passes, phones
from benchmarks.phones import HeldPass
from benchmarks.report import Line
from benchmarks.shop import Shop, Stand, make_shop
from config import ROOT
from loyalty.adapters.apns import ApnsPusher
from loyalty.embedded.children import end, spawn
from tests.apns_fake import ApnsFake, apns_server, server_certificate
from tests.apple_passes import certificates

CARDS = 200
PUSHES = 500
CHANGES = 30
BETWEEN_CHANGES = 0.2
WAITS = 60.0


def measure(ground: Stand, folder: Path, port: int, rounds: int, seconds: float) -> list[Line]:
    """Measure all of it; the web server and the worker are processes as in production."""
    with ground.app.app_context():
        shop = make_shop("wallets", number_of_cards=CARDS)
        held = phones.hold(shop)
    key, made, pushed = _offline(rounds, seconds)
    with load.web_server(ground.env, port, folder / "passes.log", "benchmarks.served:application"):
        served = _served(port, held, rounds, seconds)
        with apns_server() as apns:
            middle, slow = _latency(ground, folder, port, shop, held, apns)
    told = Line("rows of the outbox, one worker", "per second", limit=key, goal=0.05)
    for _ in range(rounds):
        with apns_server() as apns:
            told.figures.append(_told(ground, folder, shop, held, apns))
    return [key, made, *served, pushed, middle, slow, told]


def _offline(rounds: int, seconds: float) -> tuple[Line, Line, Line]:
    key = Line("RSA-2048 signatures, one core", "per second")
    made = Line("Apple passes, one core", "per second", limit=key, goal=0.6)
    pushed = Line("pushes on one connection", "per second")
    for _ in range(rounds):
        rates = passes.measure(seconds / 2)
        key.figures.append(rates.signatures)
        made.figures.append(rates.passes)
        pushed.figures.append(_pushes())
    return key, made, pushed


def _served(port: int, held: list[HeldPass], rounds: int, seconds: float) -> list[Line]:
    """Ask for hello, for whole passes and for unchanged ones, in turn."""
    hello = Line("hello on the same server", "per second")
    full = Line("a whole pass through HTTP", "per second", limit=hello, goal=0.2)
    same = Line("an unchanged pass (304)", "per second", limit=hello, goal=0.5)
    least = f"GET {load.HELLO} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    whole = [one.request(port) for one in held]
    dates = [one.last_modified(port) for one in held]
    # A pass that changed within this second would be sent again.
    time.sleep(1.1)
    dates = [one.last_modified(port) for one in held]
    unchanged = [one.request(port, since) for one, since in zip(held, dates, strict=True)]
    for _ in range(rounds):
        for line, asked, status in ((hello, [least], 200), (full, whole, 200), (same, unchanged, 304)):
            line.figures.append(load.ask_all(port, asked, status, seconds))
    return [hello, full, same]


def _latency(
    ground: Stand, folder: Path, port: int, shop: Shop, held: list[HeldPass], apns: ApnsFake
) -> tuple[Line, Line]:
    """Change a card now and then, and wait until its phone shows it."""
    took = []
    with _worker(ground, folder, apns), ground.app.app_context():
        for number, one in enumerate(held[: CHANGES + 1], 1):
            time.sleep(BETWEEN_CHANGES)
            stamps, began = phones.stamp(shop, one), time.perf_counter()
            _await(apns, number)
            if one.fetch(port) != stamps:
                raise RuntimeError("a phone that was pushed to did not find the present balance")
            took.append(1000 * (time.perf_counter() - began))
    # The first waited for the worker to start.
    took = sorted(took[1:])
    middle = Line("commit to phone, an idle system, median", "ms", [statistics.median(took)])
    return middle, Line("– the slowest of twenty (p95), at most 1,500", "ms", [took[math.ceil(len(took) * 0.95) - 1]])


def _told(ground: Stand, folder: Path, shop: Shop, held: list[HeldPass], apns: ApnsFake) -> float:
    """Change every card, start a worker, and count from its first push to its last."""
    with ground.app.app_context():
        for one in held:
            phones.stamp(shop, one)
    with _worker(ground, folder, apns):
        _await(apns, 1)
        began, first = time.perf_counter(), len(apns.seen)
        _await(apns, len(held))
        return (len(held) - first) / (time.perf_counter() - began)


def _pushes() -> float:
    """Push to many phones, one after the other; the server's work is in the figure, since it shares the process."""
    made, tokens = certificates(), [f"{number:064x}" for number in range(PUSHES)]
    with apns_server() as apns:
        pusher = ApnsPusher(
            url=apns.url,
            topic=made.pass_type_id,
            certificate_file=made.certificate,
            key_file=made.key,
            trusted_file=server_certificate(),
        )
        pusher.push(["first"], datetime.now(UTC))
        began = time.perf_counter()
        done = pusher.push(tokens, datetime.now(UTC))
        took = time.perf_counter() - began
        pusher.close()
    if len(done.accepted) != PUSHES:
        raise RuntimeError(f"{len(done.accepted)} of {PUSHES} pushes were accepted: {done.trouble}")
    return PUSHES / took


@contextmanager
def _worker(ground: Stand, folder: Path, apns: ApnsFake) -> Iterator[None]:
    env = {**ground.env, "APNS_URL": apns.url, "SSL_CERT_FILE": str(server_certificate())}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    child = spawn(command, stop="TERM", log=folder / "worker.log", cwd=ROOT, env=env)
    try:
        yield
    finally:
        end(child)


def _await(apns: ApnsFake, count: int) -> None:
    if not apns.wait_for(count, WAITS):
        raise RuntimeError(f"{len(apns.seen)} of {count} phones were told")
