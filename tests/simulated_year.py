"""A year in the life of a shop whose points expire: visits, warnings, losses, gifts, mails, and processes that die.

Everything is drawn from one seed. The days of the year pass on the ledger's clock; mails go to a real mail server of
this process, which takes, refuses, delays and drops them.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from loyalty import jobs
from loyalty.database import db, transaction
from loyalty.domain.values import CardRef, TransactionType
from loyalty.errors import InsufficientPoints
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import expiry, expiry_restores, points, programs
from tests.clocks import clock_at
from tests.factories import Card, Shop, make_card, make_key, make_reward, make_shop
from tests.fakes import SmtpSink

FIRST_DAY = date(2027, 1, 1)
DAYS = 365
LONG, SHORT = 90, 45
# The day on which the shop shortens its rule.
CHANGED_ON = FIRST_DAY + timedelta(days=150)
_MOODS = ("accept",) * 20 + ("refuse", "later", "drop")


class Died(BaseException):
    """The process is gone, in the middle of what it did."""


@dataclass
class Year:
    """One shop, its customers, and the figures so far."""

    customers: int
    sink: SmtpSink
    seed: int = 1
    visited: int = 0
    deaths: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.shop: Shop = make_shop(loyalty_type="points", points_expiration_days=LONG, welcome_bonus_points=20)
        self.reward = make_reward(self.shop, points_required=150)
        self.cards: dict[int, Card] = {}
        self.visits: dict[date, list[int]] = {}

    def live(self) -> None:
        """Let the year pass."""
        self._plan()
        for number in range(DAYS):
            self._live_one_day(FIRST_DAY + timedelta(days=number))

    def _plan(self) -> None:
        """Draw when everybody joins, how often they come, and when they stay away."""
        for number in range(self.customers):
            day = self.random.randrange(60)
            every, until = self.random.choice((20, 40, 60)), self.random.choice((30, 120, 200, DAYS))
            while day < DAYS:
                self.visits.setdefault(FIRST_DAY + timedelta(days=day), []).append(number)
                day += self.random.randrange(1, every) if day < until else self.random.randrange(80, 200)

    def _live_one_day(self, day: date) -> None:
        # Half past two of the night in Luxembourg, in winter and in summer alike.
        night = datetime(day.year, day.month, day.day, 1, 30, tzinfo=UTC)
        self._run_night(night)
        self._deliver(night + timedelta(hours=1))
        with clock_at(night + timedelta(hours=9)):
            if day == CHANGED_ON:
                changes = {"points_expiration_days": SHORT}
                programs.change(actor=self.shop.ada, changes=changes, key=make_key(self.shop.ada))
            for number in self.visits.get(day, ()):
                self._visit(number)
            self._be_generous(day)

    def _run_night(self, night: datetime) -> None:
        """Run until a run comes through; now and then one dies at some statement."""
        alive = False
        while not alive:
            before = self.deaths
            with clock_at(night), self._mortal(deadly=self.random.random() < 0.1):
                expiry.run(at=night)
            alive = self.deaths == before

    def _deliver(self, at: datetime) -> None:
        """Hand over what waits; a worker may die between claim, act and record."""
        with transaction():
            # A night has passed since the last time: waits and leases of the dead are over.
            past, row = datetime.now(UTC) - timedelta(minutes=10), OutboxMessage
            is_open = (row.delivered_at.is_(None), row.gave_up_at.is_(None))
            over = sa.update(row).where(*is_open).values(not_before=past, leased_until=None).returning(row.id)
            waiting = sorted(db.session.execute(over).scalars())
        for message_id in waiting:
            self.sink.mood = self.random.choice(_MOODS)
            with self._mortal(deadly=self.random.random() < 0.03):
                jobs.deliver(str(message_id))
        if not waiting:
            return
        with transaction():
            # The worker's own clock is that of this machine.
            today = sa.update(EmailLog).where(EmailLog.sent_at < datetime(2027, 1, 1, tzinfo=UTC))
            db.session.execute(today.values(sent_at=at))

    def _visit(self, number: int) -> None:
        """Let a customer buy something, and take a reward where the points reach."""
        if number not in self.cards:
            address = None if self.random.random() < 0.1 else f"customer{number}@example.org"
            self.cards[number] = make_card(self.shop, email=address)
        card, actor = self.cards[number], self.shop.ada
        cents = self.random.randrange(100, 900)
        points.earn(actor=actor, card=card.ref, purchase_amount_cents=cents, key=make_key(actor))
        self.visited += 1
        if self.random.random() < 0.2:
            with suppress(InsufficientPoints):
                points.redeem(actor=actor, card=card.ref, reward_id=self.reward, key=make_key(actor))

    def _be_generous(self, day: date) -> None:
        """Give some of what expired tonight back."""
        row = LoyaltyTransaction.__table__.c
        tonight = (row.local_day == day, row.transaction_type == TransactionType.POINTS_EXPIRED.value)
        with transaction():
            lost = db.session.execute(sa.select(row.id, row.card_id).where(*tonight).order_by(row.card_id)).all()
        for expiry_id, card_id in lost:
            if self.random.random() < 0.15:
                expiry_restores.restore(
                    actor=self.shop.ada,
                    card=CardRef(card_id=card_id),
                    transaction_id=expiry_id,
                    reason="was away",
                    key=make_key(self.shop.ada),
                )

    @contextmanager
    def _mortal(self, *, deadly: bool) -> Iterator[None]:
        """Let whoever works here die at one of their first statements."""
        left = iter(range(self.random.randrange(14))) if deadly else None

        def fate(*_: object) -> None:
            if left is not None and next(left, None) is None:
                raise Died

        sa.event.listen(db.engine, "before_cursor_execute", fate)
        try:
            yield
        except Died:
            db.session.rollback()
            self.deaths += 1
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", fate)
