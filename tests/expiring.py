"""A shop whose points expire, and what a test asks about its cards."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from loyalty.database import AnyRow, db, transaction
from loyalty.domain.values import TransactionType
from loyalty.models.cards import LoyaltyCard
from loyalty.models.mail import EmailLog
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import expiry, points
from loyalty.services.expiry import Ran
from tests.clocks import clock_at
from tests.factories import Card, Shop, make_card, make_key, make_shop

# Half past two in Luxembourg, in winter.
START = datetime(2027, 1, 10, 1, 30, tzinfo=UTC)
DAYS = 30


def night_of(days: int, *, hours: int = 0) -> datetime:
    """Return the time of a run so many days after the start."""
    return START + timedelta(days=days, hours=hours)


def make_points_shop(code: str = "bakery", **more: Any) -> Shop:
    """Make a shop whose points expire after 30 days."""
    return make_shop(code, **{"loyalty_type": "points", "points_expiration_days": DAYS, **more})


def make_holder(shop: Shop, *, cents: int = 1000, at: datetime = START, **customer: Any) -> Card:
    """Make a card that earns points at a moment, ten for every euro."""
    with clock_at(at):
        card = make_card(shop, **customer)
    visit(shop, card, cents=cents, at=at + timedelta(seconds=1))
    return card


def visit(shop: Shop, card: Card, *, cents: int = 1000, at: datetime) -> None:
    """Let a customer buy something."""
    with clock_at(at):
        points.earn(actor=shop.ada, card=card.ref, purchase_amount_cents=cents, key=make_key(shop.ada))


def run(at: datetime) -> Ran:
    """Let the night's run happen at a moment."""
    with clock_at(at):
        return expiry.run(at=at)


def hand_over(at: datetime, state: str = "sent") -> int:
    """Let the mails that wait be handed over, or fail, at a moment; returns how many."""
    waiting = sa.update(EmailLog).where(EmailLog.state == "waiting").values(state=state, sending_at=at, sent_at=at)
    with transaction():
        return len(db.session.execute(waiting.returning(EmailLog.id)).all())


def card_row(card: Card) -> AnyRow:
    """Read a card as it stands."""
    with transaction():
        columns = LoyaltyCard.__table__.columns
        return db.session.execute(sa.select(*columns).where(LoyaltyCard.id == card.card_id)).one()


def good_until(card: Card) -> date | None:
    """Return the day that a card's warning names."""
    day: date | None = card_row(card).points_good_until
    return day


def balance(card: Card) -> int:
    """Return a card's points."""
    return int(card_row(card).points_balance)


def rows_of(card: Card, kind: TransactionType) -> list[AnyRow]:
    """Read the rows of one kind of a card's ledger."""
    with transaction():
        row = LoyaltyTransaction.__table__.c
        query = sa.select(*row).where(row.card_id == card.card_id, row.transaction_type == kind.value)
        return list(db.session.execute(query.order_by(row.seq)))


def mails(kind: str) -> list[AnyRow]:
    """Read the mails of one kind, in the order of their days."""
    with transaction():
        row = EmailLog.__table__.c
        return list(db.session.execute(sa.select(*row).where(row.kind == kind).order_by(row.created_at, row.recipient)))
