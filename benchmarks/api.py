"""The JSON API: requests a second and how long they take, for 1, 8 and 32 clients, beside pgbench's statements."""

import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from benchmarks import limit, load
from benchmarks.report import Line
from benchmarks.shop import Shop, Stand, make_shop, new_key
from loyalty.database import db, transaction
from loyalty.domain.values import Scope
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import VendorPolicy
from loyalty.services import api_keys

CLIENTS = (1, 8, 32)
LOYALTY = "/api/v1/vendor/loyalty"
KEY_OF_THE_RECORDED_STAMP = "the-key-of-the-recorded-stamp"
Work = tuple[str, str, Callable[[UUID], dict[str, object]] | None, int]
WORK: dict[str, Work] = {
    "add stamps": ("POST", "/stamps", lambda card: {"card_id": str(card)}, 200),
    "earn": ("POST", "/points/earn", lambda card: {"card_id": str(card), "purchase_amount_cents": 1250}, 200),
    "lookup": ("GET", "/cards/{card}", None, 200),
    "list": ("GET", "/cards?limit=20", None, 200),
}


def measure(ground: Stand, rows: Shop, folder: Path, port: int, rounds: int, seconds: int) -> list[Line]:
    """Measure each kind of request with each number of clients, pgbench in turn with them."""
    with ground.app.app_context():
        shop = make_shop("api")
        api_key, recorded = _open(shop), _open(rows)
    script = _script(ground.app, rows, recorded, folder)
    url, programs = ground.servers.database_url, Path(ground.servers.postgres_bin)
    least = Line("pgbench, the stamp's transaction through the API", "per second")
    lines = [least]
    with load.web_server(ground.env, port, folder / "api.log"):
        for _ in range(rounds):
            least.figures.append(limit.run(programs, url, script, seconds))
        for name, work in WORK.items():
            for clients in CLIENTS:
                beside = (least, 0.20) if (name, clients) == ("add stamps", limit.CLIENTS) else (None, None)
                rate = Line(f"API: {name}, {clients} at once", "per second", [], *beside)
                took: list[float] = []
                for _ in range(rounds):
                    found = _closed_loop(port, api_key, shop.cards, work, clients, seconds)
                    rate.figures.append(len(found) / seconds)
                    took += found
                lines += [rate, *_percentiles(name, clients, sorted(took))]
    return lines


def _closed_loop(port: int, api_key: str, cards: list[UUID], work: Work, clients: int, seconds: float) -> list[float]:
    """Let each client ask again as soon as it has its answer; return how long each answer took."""
    wires = [load.Wire(port) for _ in range(clients)]
    took: list[list[float]] = [[] for _ in wires]
    began = time.perf_counter()

    def ask(place: int) -> None:
        chance = Random(place)
        while (sent := time.perf_counter()) - began < seconds:
            status = wires[place].ask(_request(port, api_key, chance.choice(cards), work))
            if status != work[3]:
                raise RuntimeError(f"{work[1]} was answered with {status}")
            took[place].append(time.perf_counter() - sent)

    load.all_at_once(ask, clients)
    return [each for mine in took for each in mine]


def _request(port: int, api_key: str, card: UUID, work: Work) -> bytes:
    method, path, body, _ = work
    content = json.dumps(body(card)) if body else ""
    head = f"{method} {LOYALTY}{path.format(card=card)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    head += f"Authorization: Bearer {api_key}\r\n"
    if content:
        head += f"Idempotency-Key: {secrets.token_urlsafe(18)}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(content)}\r\n"
    return f"{head}\r\n{content}".encode()


def _percentiles(name: str, clients: int, took: list[float]) -> list[Line]:
    return [
        Line(f"– p{part} of {name}, {clients} at once", "ms", [1000 * took[int(len(took) * part / 100)]])
        for part in (50, 95, 99)
    ]


def _open(shop: Shop) -> str:
    """Let a shop's software stamp and earn as often as it likes, without PINs."""
    with transaction():
        mine = sa.update(LoyaltyProgram).where(LoyaltyProgram.vendor_id == shop.vendor_id)
        db.session.execute(mine.values(loyalty_type="hybrid"))
        policy = sa.update(VendorPolicy).where(VendorPolicy.vendor_id == shop.vendor_id)
        db.session.execute(policy.values(staff_pin_policy="disabled"))
    made = api_keys.create(actor=shop.owner, name="Till", scope=Scope.TILL, key=new_key(shop.owner))
    if made.api_key is None:
        raise RuntimeError("a new key was answered with a stored receipt")
    return made.api_key


def _script(app: Flask, rows: Shop, api_key: str, folder: Path) -> Path:
    """Stamp one of pgbench's cards once through the API, and write its transaction down."""
    headers = {"Authorization": f"Bearer {api_key}", "Idempotency-Key": KEY_OF_THE_RECORDED_STAMP}
    with limit.recorded(app) as steps:
        body = {"card_id": str(rows.cards[0])}
        answer = app.test_client().post(f"{LOYALTY}/stamps", json=body, headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"the stamp to be recorded was answered with {answer.text}")
    path = folder / "api.sql"
    key = KEY_OF_THE_RECORDED_STAMP
    path.write_text(limit.script(limit.transaction_of(steps), rows.cards[0], key), encoding="utf-8")
    path.chmod(0o644)
    return path
