"""Replaying the ledger: whoever gets past its triggers is found, and named by card and row; nobody else is."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db
from loyalty.domain.ledger import GENESIS, entry_hash
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import points, stamps, verification, voids
from loyalty.services.verification import Finding
from tests.factories import Card, Shop, make_card, make_key, make_reward, make_shop
from tests.tills import all_at_once

ROW = cast(sa.Table, LoyaltyTransaction.__table__)
CARD = cast(sa.Table, LoyaltyCard.__table__)
ROWS = 12
EDITS: list[dict[str, Any]] = [
    {"stamps_delta": 5},
    {"points_delta": 77},
    {"points_balance_after": 9},
    {"purchase_amount_cents": 1},
    {"staff_pin_id": None, "user_id": None},
    {"local_day": sa.text("local_day + 1")},
    {"transaction_at": sa.text("transaction_at + interval '1 second'")},
    {"idempotency_key": "another"},
    {"entry_hash": "0" * 64},
]
CARD_EDITS: list[dict[str, Any]] = [
    {"stamp_count": 99},
    {"points_balance": 99},
    {"total_stamps_earned": 99},
    {"total_points_earned": 99},
    {"points_redeemed": 99},
    {"total_points_voided": 99},
    {"stamps_redeemed": 99},
    {"stamps_on_day": 0},
    {"stamps_day": None},
    {"last_stamp_at": None},
    {"ledger_at": None},
    {"is_active": False},
]


def make_busy_card(shop: Shop, reward: str) -> Card:
    """A card with twelve rows of most kinds."""
    card = make_card(shop, stamps=11, points=300)
    for _ in range(3):
        stamps.add(actor=shop.ben, card=card.ref, quantity=2, key=make_key(shop.ben))
        points.earn(actor=shop.ben, card=card.ref, purchase_amount_cents=1234, key=make_key(shop.ben))
    bought = points.redeem(actor=shop.ben, card=card.ref, reward_id=reward, key=make_key(shop.ben))
    voids.void_stamps(actor=shop.mia, card=card.ref, stamps_to_void=1, reason="slip", key=make_key(shop.mia))
    voids.void(actor=shop.mia, transaction_id=bought.transaction_id, reason="slip", key=make_key(shop.mia))
    return card


@pytest.fixture
def busy(context: None) -> list[Card]:
    """Three cards with a history; tests change the middle one."""
    shop = make_shop(loyalty_type="hybrid", cooldown_minutes=0, max_daily_stamps=50, max_stamps_per_action=5)
    reward = make_reward(shop)
    made = [make_busy_card(shop, reward) for _ in range(3)]
    report = verification.verify()
    assert (report.cards, report.rows, report.findings) == (3, 3 * ROWS, [])
    return made


def row(card: Card, seq: int) -> sa.ColumnElement[bool]:
    return sa.and_(ROW.c.card_id == card.card_id, ROW.c.seq == seq)


def change(engine: sa.Engine, *statements: sa.Executable) -> None:
    """Change the ledger as its owner, past its triggers."""
    db.session.rollback()
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(statement)


@contextmanager
def tampered(engine: sa.Engine, card: Card, *statements: sa.Executable) -> Iterator[Finding]:
    """Change a card's ledger, hand over the one finding about it, and put everything back."""
    mine = ROW.c.card_id == card.card_id
    rows = [entry._asdict() for entry in db.session.execute(sa.select(ROW).where(mine))]
    columns = db.session.execute(sa.select(CARD).where(CARD.c.id == card.card_id)).one()._asdict()
    change(engine, *statements)
    (finding,) = verification.verify().findings
    assert (finding.card_id, finding.card_number) == (card.card_id, card.card_number)
    yield finding
    back = [sa.insert(ROW).values(**entry) for entry in rows]
    change(
        engine, sa.delete(ROW).where(mine), *back, sa.update(CARD).where(CARD.c.id == card.card_id).values(**columns)
    )
    assert verification.verify().findings == []


def move(card: Card, since: int, by: int) -> list[sa.Executable]:
    """Renumber the rows from one on."""
    later = sa.and_(ROW.c.card_id == card.card_id, ROW.c.seq >= since)
    far = 1_000_000
    moved = sa.and_(ROW.c.card_id == card.card_id, ROW.c.seq >= far)
    return [
        sa.update(ROW).where(later).values(seq=ROW.c.seq + far),
        sa.update(ROW).where(moved).values(seq=ROW.c.seq - far + by),
    ]


def swap(card: Card, one: int, other: int) -> list[sa.Executable]:
    numbers = ((one, 1_000_000), (other, one), (1_000_000, other))
    return [sa.update(ROW).where(row(card, old)).values(seq=new) for old, new in numbers]


def copy(card: Card, of: int, seq: int) -> sa.Executable:
    """A row like another one, with a new id and a place of its own."""
    new: dict[str, Any] = {"id": sa.func.gen_random_uuid(), "seq": sa.literal(seq)}
    columns = [new.get(column.name, column) for column in ROW.columns]
    return sa.insert(ROW).from_select(list(ROW.columns.keys()), sa.select(*columns).where(row(card, of)))


def put_in(card: Card, seq: int) -> list[sa.Executable]:
    """Make room for a row, and put a copy of another one there."""
    source = 4 if seq > 4 else 5
    return [*move(card, seq, 1), copy(card, source, seq)]


def test_it_finds_an_edited_row(busy: list[Card], owner_engine: sa.Engine) -> None:
    for seq in (1, 7, ROWS):
        for edit in EDITS:
            with tampered(owner_engine, busy[1], sa.update(ROW).where(row(busy[1], seq)).values(**edit)) as finding:
                assert finding.seq == seq


def test_it_finds_a_dropped_row(busy: list[Card], owner_engine: sa.Engine) -> None:
    for seq in (1, 2, 7, ROWS - 1, ROWS):
        with tampered(owner_engine, busy[1], sa.delete(ROW).where(row(busy[1], seq))) as finding:
            assert (finding.seq, finding.problem) == (seq, f"row {seq} is missing")
    with tampered(owner_engine, busy[1], sa.delete(ROW).where(row(busy[1], 7)), *move(busy[1], 8, -1)) as finding:
        assert finding.seq == 7
    with tampered(owner_engine, busy[1], sa.delete(ROW).where(ROW.c.card_id == busy[1].card_id)) as finding:
        assert finding.seq == 1


def test_it_reads_every_text_as_it_was_hashed(context: None) -> None:
    shop = make_shop(loyalty_type="points", cooldown_minutes=0)
    card = make_card(shop)
    for text in ('"', "\\", "a\\u0041", "\t\n\r\b\f\x01\x1f\x7f", "Käse – 茶 🧀", "\u2028", "null", "</script>"):
        key, reference = make_key(shop.ben), f"1{text}2"
        points.earn(actor=shop.ben, card=card.ref, purchase_amount_cents=990, order_reference=reference, key=key)
        assert db.session.scalars(sa.select(ROW.c.order_reference).order_by(ROW.c.seq.desc())).first() == reference
    assert verification.verify().findings == []


def test_it_finds_rows_that_changed_places(busy: list[Card], owner_engine: sa.Engine) -> None:
    for one, other in ((1, 2), (5, 9), (ROWS - 1, ROWS)):
        with tampered(owner_engine, busy[1], *swap(busy[1], one, other)) as finding:
            assert finding.seq == one


def test_it_finds_a_row_that_was_put_in(busy: list[Card], owner_engine: sa.Engine) -> None:
    for seq in (1, 6, ROWS + 1):
        with tampered(owner_engine, busy[1], *put_in(busy[1], seq)) as finding:
            assert finding.seq == seq


def test_it_finds_a_row_at_the_end_that_fits_the_chain(busy: list[Card], owner_engine: sa.Engine) -> None:
    """The card keeps the head: whoever forges a hash as well must change the card, too."""
    last = db.session.execute(sa.select(ROW).where(row(busy[1], ROWS))).one()._asdict()
    forged = {**last, "id": busy[1].customer_id, "seq": ROWS + 1, "stamps_delta": 0, "points_delta": 0}
    forged["transaction_type"] = "points_adjustment"
    forged["transaction_at"] = last["transaction_at"].replace(year=last["transaction_at"].year + 1)
    forged["entry_hash"] = entry_hash(1, last["entry_hash"], forged)
    added = sa.insert(ROW).values(**forged)
    counted = sa.update(CARD).where(CARD.c.id == busy[1].card_id).values(ledger_seq=ROWS + 1)
    for statements in ([added], [added, counted]):
        with tampered(owner_engine, busy[1], *statements) as finding:
            assert finding.seq == ROWS + 1


def test_it_finds_a_changed_card(busy: list[Card], owner_engine: sa.Engine) -> None:
    mine = CARD.c.id == busy[1].card_id
    for edit in CARD_EDITS:
        with tampered(owner_engine, busy[1], sa.update(CARD).where(mine).values(**edit)) as finding:
            assert finding.seq is None
            assert next(iter(edit)) in finding.problem
    with tampered(owner_engine, busy[1], sa.update(CARD).where(mine).values(ledger_head=GENESIS)) as finding:
        assert finding.seq == ROWS


def test_it_names_the_first_of_random_changes(busy: list[Card], owner_engine: sa.Engine) -> None:
    draw = random.Random(20_261_025)
    kinds: list[Callable[[Card, int], list[sa.Executable]]] = [
        lambda card, seq: [sa.update(ROW).where(row(card, seq)).values(points_delta=ROW.c.points_delta + 1)],
        lambda card, seq: [sa.delete(ROW).where(row(card, seq))],
        lambda card, seq: swap(card, seq, ROWS),
        put_in,
    ]
    for _ in range(40):
        card, seq, kind = draw.choice(busy), draw.randrange(1, ROWS), draw.choice(kinds)
        with tampered(owner_engine, card, *kind(card, seq)) as finding:
            assert finding.seq == seq


def test_it_looks_at_one_shop_alone_where_it_is_told_to(busy: list[Card], owner_engine: sa.Engine) -> None:
    other = make_shop("butcher")
    card = make_card(other, stamps=3)
    mine = db.session.execute(sa.select(CARD.c.vendor_id).where(CARD.c.id == busy[0].card_id)).scalar_one()
    with tampered(owner_engine, card, sa.delete(ROW).where(row(card, 2))):
        report = verification.verify(vendor_id=mine)
        assert (report.cards, report.findings) == (3, [])


def test_it_raises_no_alarm_while_the_tills_are_at_work(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "BATCH", 3)
    with app.app_context():
        shop = make_shop(cooldown_minutes=0, max_daily_stamps=100)
        made = [make_card(shop) for _ in range(10)]

    def stamp(turn: int) -> int:
        for number in range(60):
            card = made[(turn + number) % len(made)]
            stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
            db.session.rollback()
        return 0

    def verify() -> int:
        return sum(len(verification.verify().findings) for _ in range(40))

    calls: list[Callable[[], int]] = [partial(stamp, 0), partial(stamp, 5), verify]
    assert all_at_once(app, calls) == [0, 0, 0]
