"""A year in the life of a shop whose points expire: visits, warnings, losses, gifts, mails, and processes that die.

Everything is drawn from one seed. The days pass on a clock that is set; two processes work by it, each of which may be
killed at any point, and another one follows. Mails go to a real mail server of the test, which takes, refuses, delays
and drops them.
"""

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import sqlalchemy as sa
from aiosmtpd.smtp import SMTP, Envelope, Session

from loyalty.domain.values import TransactionType
from loyalty.models.outbox import OutboxMessage
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.transactions import LoyaltyTransaction
from tests.factories import Shop, make_reward, make_shop
from tests.fakes import SmtpSink
from tests.simulated_clock import set_clock
from tests.year_worker import YearWorker

FIRST_DAY = date(2027, 1, 1)
DAYS = 365
LONG, SHORT = 90, 45
# The day on which the shop shortens its rule.
CHANGED_ON = FIRST_DAY + timedelta(days=150)
# Longer than the lease of the clock's tasks.
A_WHILE = timedelta(minutes=3)
KINDS = ("sweep", "deliver", "visit", "give back", "shorten")
_RINGS = 30
_TRIES = 50
Part: TypeAlias = tuple[YearWorker, dict[str, object]]
MOODS = ("accept",) * 20 + ("refuse", "later", "later_mail", "drop")


class CountingSink(SmtpSink):
    """A mail server whose mood is drawn for each attempt, and which keeps no more of a mail than its Message-ID."""

    def __init__(self, seed: int, moods: Sequence[str] = MOODS) -> None:
        super().__init__()
        self.seed = seed
        self.moods = moods
        self.taken: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.drawn: dict[str, str] = {}

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Draw the mood of a conversation, which is the same with each run of a seed."""
        self.asked[address] += 1
        drawn = random.Random(f"{self.seed} {address} {self.asked[address]}").choice(self.moods)
        self.mood = self.drawn[address] = drawn
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the Message-ID."""
        self.mood = self.drawn[envelope.rcpt_tos[0]]
        return await super().handle_DATA(server, session, envelope)

    def keep(self, content: bytes, recipients: Sequence[str]) -> None:
        """Count the mail."""
        found = re.search(rb"^Message-ID: (\S+)", content, re.MULTILINE)
        assert found
        self.taken[found[1].decode()] += 1


@dataclass
class Year:
    """One shop, its customers, and the figures so far."""

    customers: int
    workers: Sequence[YearWorker]
    owner: sa.Engine
    seed: int = 1
    # How many of the pieces of work end with the death of their process, and after how many points at the latest.
    mortality: Mapping[str, float] = field(default_factory=dict)
    deadliest: int = 3000
    # Whether all tasks of the clock run each night, and not only once a month: they take longer than all the rest.
    thorough: bool = False
    visited: int = 0
    rings: int = 0
    # How often a process did not reach the database in time.
    failures: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.deaths: Counter[str] = Counter()
        self.shop: Shop = make_shop(loyalty_type="points", points_expiration_days=LONG, welcome_bonus_points=20)
        self.reward = make_reward(self.shop, points_required=150)
        self.visits: dict[date, list[int]] = {}

    def live(self, days: int) -> None:
        """Let the year pass, or its first days."""
        self._plan()
        for number in range(days):
            self._live_one_day(FIRST_DAY + timedelta(days=number))
            if self.thorough and number % 10 == 9:
                print(f"{number + 1} days: {self.visited} visits, {self.deaths.total()} processes killed", flush=True)

    def _plan(self) -> None:
        """Draw when everybody joins, how often they come, and when they stay away."""
        for number in range(self.customers):
            day = self.random.randrange(60)
            every, until = self.random.choice((30, 60, 90)), self.random.choice((30, 120, 200, DAYS))
            while day < DAYS:
                self.visits.setdefault(FIRST_DAY + timedelta(days=day), []).append(number)
                day += self.random.randrange(1, every) if day < until else self.random.randrange(80, 200)

    def _live_one_day(self, day: date) -> None:
        self._run_night(day)
        for hour in (3, 4, 9):
            self._deliver(day, hour)
        me = {"vendor_id": str(self.shop.vendor_id), "user_id": str(self.shop.ada.user_id)}
        if day == CHANGED_ON:
            self._until_done("shorten", {**me, "days": SHORT})
        if coming := self.visits.get(day):
            about = {**me, "reward_id": self.reward, "seed": self.seed}
            self._until_done("visit", *({**about, "numbers": half} for half in (coming[::2], coming[1::2]) if half))
            self.visited += len(coming)
        row = LoyaltyTransaction
        if self._is_there(row.local_day == day, row.transaction_type == TransactionType.POINTS_EXPIRED.value):
            self._until_done("give back", {**me, "seed": self.seed})
        self._deliver(day, 20)

    def _deliver(self, day: date, hour: int) -> None:
        """Let an hour of the day begin, by UTC, and have delivered what waits."""
        set_clock(self.owner, datetime(day.year, day.month, day.day, hour, tzinfo=UTC))
        if self._is_there(OutboxMessage.delivered_at.is_(None), OutboxMessage.gave_up_at.is_(None)):
            self._until_done("deliver", {}, {})

    def _run_night(self, day: date) -> None:
        """Let the clock ring until the night is over; what a killed process had leased is free only after a while."""
        # Half past two in Luxembourg or, in summer, half past three.
        now = datetime(day.year, day.month, day.day, 1, 30, tzinfo=UTC)
        only = "" if self.thorough or day.day == 1 else "expiry"
        over = (LoyaltyProgram.id == self.shop.program_id, LoyaltyProgram.expiry_ran_on == day)
        for ring in range(_RINGS):
            set_clock(self.owner, now + ring * A_WHILE)
            self.rings += 1
            killed = self._try("sweep", [(self.workers[ring % 2], {"only": only})])
            if not killed and self._is_there(*over):
                return
        raise AssertionError(f"the night of {day} did not end")

    def _is_there(self, *where: sa.ColumnElement[bool]) -> bool:
        with self.owner.connect() as connection:
            return connection.execute(sa.select(sa.exists().where(*where))).scalar_one()

    def _until_done(self, what: str, *parts: dict[str, object]) -> None:
        """Have parts of some work done side by side; who was killed is followed by another who begins it anew."""
        left = list(zip(self.workers, parts, strict=False))
        for _ in range(_TRIES):
            if not left:
                return
            left = self._try(what, left)
        raise AssertionError(f"{what} does not come to an end")

    def _try(self, what: str, parts: Sequence[Part]) -> list[Part]:
        """Return the parts whose process did not come through."""
        for worker, about in parts:
            worker.ask(what, die_at=self._draw_death(what), **about)
        ends = [worker.hear() for worker, _ in parts]
        self.deaths[what] += ends.count("killed")
        self.failures += ends.count("failed")
        return [part for part, end in zip(parts, ends, strict=True) if end != "done"]

    def _draw_death(self, what: str) -> int | None:
        """Draw at which point a process dies, if at all: as often among the first ten as in the next hundred."""
        point = self.deadliest ** self.random.random()
        return int(point) if self.random.random() < self.mortality.get(what, 0) else None
