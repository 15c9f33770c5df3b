"""Once per key: twins wait for each other, the same answer comes again, and another request is refused."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import clock, db, new_id, transaction
from loyalty.domain.values import RequestKey, TransactionType
from loyalty.errors import IdempotencyInProgress, IdempotencyKeyReused, LoyaltyError, StampCooldown
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.idempotency import IdempotencyKey
from loyalty.services import idempotency, stamps, verification
from loyalty.services.stamps import StampReceipt
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.tills import all_at_once


@dataclass(frozen=True, kw_only=True)
class Told:
    """An answer with a value of each kind that receipts hold."""

    number: int
    at: datetime
    kind: TransactionType
    ids: list[UUID]
    nothing: UUID | None = None
    secret: str | None = field(default=None, metadata={"secret": True})
    replayed: bool = False


def tell(number: int = 1) -> Told:
    return Told(
        number=number,
        at=datetime(2026, 10, 25, 0, 59, 59, 123456, UTC),
        kind=TransactionType.STAMP_EARNED,
        ids=[new_id()],
        secret="shown once",
    )


def add(shop: Shop, card: Card, key: RequestKey) -> StampReceipt:
    return stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=key)


def outcome(shop: Shop, card: Card, key: RequestKey) -> str:
    try:
        return str(add(shop, card, key).transaction_id)
    except LoyaltyError as refusal:
        return refusal.code


@contextmanager
def held(engine: sa.Engine, statement: str, **values: object) -> Iterator[None]:
    """Hold what a statement locks, on a connection of its own."""
    with engine.connect() as connection:
        connection.execute(sa.text(statement), values)
        yield
        connection.rollback()


def stored() -> int:
    with transaction():
        return db.session.execute(sa.select(sa.func.count()).select_from(IdempotencyKey)).scalar_one()


def test_it_gives_every_kind_of_value_again_but_no_secret(context: None) -> None:
    key = make_key()
    first = idempotency.run(key, Told, tell)
    again = idempotency.run(key, Told, tell)
    assert again == replace(first, secret=None, replayed=True)
    assert idempotency.find(key, Told) == again


def test_it_refuses_another_request_under_a_used_key(context: None) -> None:
    key = make_key(asked="this")
    idempotency.run(key, Told, tell)
    other = make_key(asked="that", key=key.key)
    with pytest.raises(IdempotencyKeyReused):
        idempotency.run(other, Told, tell)
    with pytest.raises(IdempotencyKeyReused):
        idempotency.find(other, Told)


def test_it_knows_callers_apart(context: None) -> None:
    shop = make_shop(cooldown_minutes=0)
    card = make_card(shop)
    first = add(shop, card, make_key(shop.ben, key="k" * 16))
    other = stamps.add(actor=shop.ada, card=card.ref, quantity=1, key=make_key(shop.ada, key="k" * 16))
    assert (first.stamp_count, other.stamp_count, other.replayed) == (1, 2, False)


def test_it_stores_no_refusal(context: None) -> None:
    shop = make_shop()
    card = make_card(shop)
    add(shop, card, make_key(shop.ben))
    before = stored()
    with pytest.raises(StampCooldown):
        add(shop, card, make_key(shop.ben))
    assert stored() == before


def test_it_forgets_answers_that_are_old(context: None) -> None:
    idempotency.run(make_key(), Told, tell)
    assert idempotency.delete_older(before=datetime(2020, 1, 1, tzinfo=UTC)) == 0
    assert idempotency.delete_older(before=clock()) == 1


def test_it_has_one_effect_for_one_key_of_eight_threads(app: Flask) -> None:
    with app.app_context():
        shop = make_shop(cooldown_minutes=0, max_daily_stamps=100)
        card = make_card(shop)
    for round_ in range(1, 13):
        key = make_key(shop.ben)
        answers = all_at_once(app, [partial(add, shop, card, key)] * 8)
        assert [answer.replayed for answer in answers].count(False) == 1
        assert len({replace(answer, replayed=False) for answer in answers}) == 1
        assert answers[0].stamp_count == round_
    with app.app_context():
        assert verification.verify().findings == []


def test_it_has_one_effect_for_one_key_on_two_cards_at_once(app: Flask) -> None:
    """The cards' locks do not make these twins wait: the primary key of the stored answer does (23505)."""
    with app.app_context():
        shop = make_shop(cooldown_minutes=0, max_daily_stamps=100)
        two = [make_card(shop), make_card(shop)]
    for _ in range(12):
        keys = [make_key(shop.ben, asked=1)]
        keys.append(make_key(shop.ben, asked=2, key=keys[0].key))
        codes = all_at_once(app, [partial(outcome, shop, card, key) for card, key in zip(two, keys, strict=True)])
        assert codes.count("IDEMPOTENCY_KEY_REUSED") == 1
    with app.app_context():
        found = db.session.execute(sa.select(sa.func.sum(LoyaltyCard.stamp_count))).scalar_one()
        assert found == 12
        assert verification.verify().findings == []


def test_it_answers_a_twin_that_met_the_primary_key(app: Flask) -> None:
    """The same key for the same thing, with nothing to wait for but the key itself."""
    with app.app_context():
        shop = make_shop()
    for _ in range(10):
        key, meet = make_key(), threading.Barrier(2)

        def work(key: RequestKey = key, meet: threading.Barrier = meet) -> Told:
            def write() -> Told:
                answer = tell()
                meet.wait()
                idempotency.store(key, answer, vendor_id=shop.vendor_id)
                return answer

            return idempotency.in_transaction(key, Told, write)

        first, second = all_at_once(app, [work, work])
        assert sorted([first.replayed, second.replayed]) == [False, True]
        assert first.ids == second.ids


def test_it_does_a_command_without_a_card_once(app: Flask) -> None:
    with app.app_context():
        shop = make_shop()
    ran: list[int] = []
    for _ in range(10):
        key = make_key()

        def work(key: RequestKey = key) -> Told:
            def write() -> Told:
                ran.append(1)
                return tell()

            return idempotency.run(key, Told, write, vendor_id=shop.vendor_id)

        answers = all_at_once(app, [work] * 8)
        assert Counter(answer.replayed for answer in answers) == {True: 7, False: 1}
        assert len({answer.ids[0] for answer in answers}) == 1
    assert len(ran) == 10


def test_it_says_in_progress_while_somebody_else_holds_the_card(app: Flask, owner_engine: sa.Engine) -> None:
    with app.app_context():
        shop = make_shop()
        card = make_card(shop)
        key = make_key(shop.ben)
        before = stored()
        with held(owner_engine, "SELECT 1 FROM loyalty_cards WHERE id = :id FOR UPDATE", id=card.card_id):
            with pytest.raises(IdempotencyInProgress):
                add(shop, card, key)
            db.session.rollback()
        assert stored() == before
        assert add(shop, card, key).stamp_count == 1


def test_it_finds_the_answer_that_was_stored_while_it_waited_in_vain(app: Flask, owner_engine: sa.Engine) -> None:
    with app.app_context():
        shop = make_shop()
        card = make_card(shop)
        key = make_key(shop.ben)
        first = add(shop, card, key)
        db.session.rollback()
        with held(owner_engine, "SELECT 1 FROM loyalty_cards WHERE id = :id FOR UPDATE", id=card.card_id):
            assert add(shop, card, key) == replace(first, replayed=True)


def test_it_says_in_progress_while_a_twin_without_a_card_is_at_work(app: Flask, owner_engine: sa.Engine) -> None:
    key = make_key()
    lock = f"SELECT pg_advisory_xact_lock({idempotency._lock_number(key)})"
    with app.app_context(), held(owner_engine, lock), pytest.raises(IdempotencyInProgress):
        idempotency.run(key, Told, tell)


def test_it_leaves_other_collisions_alone(context: None) -> None:
    """Only the key's own primary key means a twin; any other duplicate is a fault and rolls all back."""
    shop = make_shop()
    key, event = make_key(), {"id": new_id(), "vendor_id": shop.vendor_id, "action": "x", "subject_type": "x"}

    def twice() -> Told:
        for _ in range(2):
            db.session.execute(sa.insert(AuditEvent).values(**event, subject_id="x", details={}))
        return tell()

    with pytest.raises(sa.exc.IntegrityError):
        idempotency.run(key, Told, twice)
    assert idempotency.find(key, Told) is None
