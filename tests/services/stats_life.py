"""Days in the life of two shops, for tests of statistics: steps of a history, and rows that are not committed yet."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from loyalty import database
from loyalty.database import db, transaction
from loyalty.domain.values import Actor
from loyalty.errors import LoyaltyError
from loyalty.models.stats import StaffReport
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Vendor
from loyalty.services import adjustments, cards, points, stamps, stats_rollup, voids
from tests.factories import Card, Shop, make_card, make_key, make_reward, make_shop, make_store

OPEN: dict[str, Any] = {
    "loyalty_type": "hybrid",
    "stamps_target": 3,
    "max_stamps_per_action": 3,
    "cooldown_minutes": 0,
    "max_daily_stamps": 50,
    "points_per_euro": 33,
    "welcome_stamps": 1,
}
# Before a change to summer time, before one to winter time, and at the end of a year.
STARTS = [
    datetime(2026, 3, 28, 21, 40, 30, tzinfo=UTC),
    datetime(2026, 10, 24, 20, 20, 30, tzinfo=UTC),
    datetime(2026, 12, 30, 9, 0, 30, tzinfo=UTC),
]
HOURS = [0, 0, 1, 3, 11, 26, 24 * 20]
ZONES = ["Europe/Luxembourg", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu"]


class Life:
    """Two shops with two stores each; every step is drawn by the dice."""

    def __init__(self, app: Flask, seed: int, name: str) -> None:
        self.app, self.dice = app, random.Random(seed)
        database.configure(clock_offset=self.dice.choice(STARTS) - datetime.now(UTC))
        self.shops = [make_shop(f"{name}-{place}", **OPEN) for place in "ab"]
        self.stores = {shop.vendor_id: [shop.store_id, make_store(shop)] for shop in self.shops}
        self.rewards = {shop.vendor_id: make_reward(shop, "Cake", 40) for shop in self.shops}
        self.cards: list[tuple[Shop, Card]] = []
        self.open: list[Held] = []
        with transaction():
            # The second shop has it off.
            since = STARTS[0].date() + timedelta(days=self.dice.choice([-9, 2]))
            db.session.add(StaffReport(vendor_id=self.shops[0].vendor_id, since_day=since))
        for shop in self.shops:
            self.cards += [(shop, make_card(shop)), (shop, make_card(shop, stamps=2, points=50))]

    @property
    def vendor_ids(self) -> list[UUID]:
        return [shop.vendor_id for shop in self.shops]

    def step(self, kind: str) -> None:
        with suppress(LoyaltyError):
            getattr(self, kind)()

    def pick(self) -> tuple[Shop, Card, Actor]:
        held = {held.card.card_id for held in self.open}
        shop, card = self.dice.choice([known for known in self.cards if known[1].card_id not in held])
        at_store = replace(
            self.dice.choice([shop.ben, shop.mia]), store_id=self.dice.choice(self.stores[shop.vendor_id])
        )
        return shop, card, self.dice.choice([at_store, at_store, at_store, shop.ada])

    def stamp(self) -> None:
        _, card, who = self.pick()
        stamps.add(actor=who, card=card.ref, quantity=self.dice.randrange(1, 4), key=make_key(who))

    def earn(self) -> None:
        _, card, who = self.pick()
        points.earn(actor=who, card=card.ref, purchase_amount_cents=self.dice.randrange(5, 3000), key=make_key(who))

    def redeem(self) -> None:
        _, card, who = self.pick()
        stamps.redeem(actor=who, card=card.ref, key=make_key(who))

    def buy(self) -> None:
        shop, card, who = self.pick()
        points.redeem(actor=who, card=card.ref, reward_id=self.rewards[shop.vendor_id], key=make_key(who))

    def adjust(self) -> None:
        shop, card, _ = self.pick()
        change = self.dice.choice([adjustments.adjust_points, adjustments.adjust_stamps])
        delta = self.dice.choice([-2, -1, 4])
        change(actor=shop.ada, card=card.ref, delta=delta, reason="count", key=make_key(shop.ada))

    def enrol(self) -> None:
        shop = self.dice.choice(self.shops)
        self.cards.append((shop, make_card(shop)))

    def switch(self) -> None:
        shop, card, _ = self.pick()
        turn = self.dice.choice([cards.deactivate, cards.reactivate, cards.reactivate])
        turn(actor=shop.ada, card=card.ref, reason="lost", key=make_key(shop.ada))

    def void(self) -> None:
        """Take back any row, however old, whole or in part, at any store or in the office."""
        shop, card, who = self.pick()
        row = LoyaltyTransaction
        mine = sa.select(row.id, row.transaction_type).where(row.card_id == card.card_id).order_by(row.seq)
        found = self.dice.choice(db.session.execute(mine).all())
        boss = self.dice.choice([shop.ada, replace(shop.mia, store_id=who.store_id)])
        if found.transaction_type == "points_earned" and self.dice.random() < 0.5:
            voids.void_points(
                actor=boss, card=card.ref, transaction_id=found.id, points_to_void=7, reason="slip", key=make_key(boss)
            )
        else:
            voids.void(actor=boss, transaction_id=found.id, reason="slip", key=make_key(boss))

    def wait(self) -> None:
        database.configure(clock_offset=database.clock_offset() + timedelta(hours=self.dice.choice(HOURS)))

    def move(self) -> None:
        """Move a shop to another zone: a day may begin again, or be left out."""
        with transaction():
            mine = Vendor.id == self.dice.choice(self.shops).vendor_id
            db.session.execute(sa.update(Vendor).where(mine).values(timezone=self.dice.choice(ZONES)))

    def roll_up(self) -> None:
        stats_rollup.roll_up(at=STARTS[0])

    def interrupt(self) -> None:
        """Roll up and die at some statement."""
        with dying(self.app, after=self.dice.randrange(1, 25)), suppress(Killed):
            self.roll_up()
        db.session.rollback()

    def hold(self) -> None:
        """Let a till write and not commit yet."""
        _, card, who = self.pick()
        if len(self.open) < 2:
            self.open.append(Held(self.app, card, lambda: stamp_once(who, card)))

    def release(self) -> None:
        if self.open:
            self.open.pop(0).commit()

    def finish(self) -> None:
        while self.open:
            self.release()


def stamp_once(who: Actor, card: Card) -> None:
    """Give one stamp."""
    stamps.add(actor=who, card=card.ref, quantity=1, key=make_key(who))


class Held:
    """A transaction of a till in a thread of its own, open until `commit`."""

    def __init__(self, app: Flask, card: Card, call: Callable[[], None]) -> None:
        self.app, self.card, self.call = app, card, call
        self.written, self.go = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.written.wait(60)

    def _run(self) -> None:
        with self.app.app_context():
            try:
                with transaction():
                    with suppress(LoyaltyError):
                        self.call()
                    self.written.set()
                    self.go.wait(60)
            finally:
                self.written.set()

    def commit(self) -> None:
        self.go.set()
        self.thread.join()


class Killed(Exception):
    """What a process that is killed never gets to say."""


class dying:
    """Let this thread die at a statement."""

    def __init__(self, app: Flask, *, after: int) -> None:
        self.left = after
        self.thread = threading.get_ident()
        self.engine: sa.Engine = app.extensions["sqlalchemy"].engine

    def _count(self, *_: object) -> None:
        if threading.get_ident() == self.thread:
            self.left -= 1
            if self.left == 0:
                raise Killed

    def __enter__(self) -> None:
        sa.event.listen(self.engine, "before_cursor_execute", self._count)

    def __exit__(self, *_: object) -> None:
        sa.event.remove(self.engine, "before_cursor_execute", self._count)
