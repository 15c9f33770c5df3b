"""The order in which every use case of the till checks, whatever the use case."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.values import CardRef, RequestKey
from loyalty.errors import (
    LoyaltyError,
    StaffPinInvalid,
    StaffPinLocked,
    StaffPinRequired,
    StampCooldown,
)
from loyalty.models.idempotency import IdempotencyKey
from loyalty.models.pins import PinThrottle
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Vendor
from loyalty.services import adjustments, cards, pins, points, stamps, verification, voids
from loyalty.services.till import Approval
from tests.factories import Card, Shop, change_policy, change_program, make_card, make_key, make_reward, make_shop

pytestmark = pytest.mark.usefixtures("context")


@dataclass(frozen=True)
class Scene:
    """A shop, a card with everything on it, and somebody who may do everything."""

    shop: Shop
    card: Card
    reward: str
    stamped: Any


@pytest.fixture
def scene(context: None) -> Scene:
    shop = make_shop(loyalty_type="hybrid", cooldown_minutes=0, max_daily_stamps=50, max_stamps_per_action=2)
    card = make_card(shop, stamps=25, points=500)
    stamped = stamps.add(actor=shop.mia, card=card.ref, quantity=1, key=make_key(shop.mia)).transaction_id
    points.earn(actor=shop.mia, card=card.ref, purchase_amount_cents=900, order_reference="A1", key=make_key(shop.mia))
    return Scene(shop, card, make_reward(shop), stamped)


Ask = Callable[..., Any]
KINDS: dict[str, tuple[str | None, Callable[[Scene], Ask], dict[str, Any]]] = {
    "add": ("stamps", lambda scene: stamps.add, {"quantity": 1}),
    "redeem stamps": ("stamps", lambda scene: stamps.redeem, {}),
    "void stamps": ("stamps", lambda scene: voids.void_stamps, {"stamps_to_void": 1, "reason": "slip"}),
    "earn": ("points", lambda scene: points.earn, {"purchase_amount_cents": 900}),
    "redeem points": ("points", lambda scene: points.redeem, {"reward_id": ""}),
    "void points": ("points", lambda scene: voids.void_points, {"order_reference": "A1", "reason": "slip"}),
    "adjust stamps": ("stamps", lambda scene: adjustments.adjust_stamps, {"delta": 1, "reason": "gift"}),
    "adjust points": ("points", lambda scene: adjustments.adjust_points, {"delta": 1, "reason": "gift"}),
}


def ask(scene: Scene, case: str, key: RequestKey | None = None, **changed: Any) -> Any:
    """Do one of the use cases, with somebody, a card or a PIN of its own."""
    _, command, fields = KINDS[case]
    asked = {"actor": scene.shop.mia, "card": scene.card.ref, **fields, **changed}
    if case == "redeem points":
        asked["reward_id"] = scene.reward
    return command(scene)(key=key or make_key(asked["actor"]), **asked)


def code_of(call: Callable[[], object]) -> str:
    try:
        call()
    except LoyaltyError as refusal:
        return refusal.code
    return "ok"


def suspend(shop: Shop) -> None:
    with transaction():
        db.session.get_one(Vendor, shop.vendor_id).status = "suspended"


def counts() -> tuple[int, int]:
    """The rows of the ledger, and the answers that are stored."""
    with transaction():
        rows = db.session.execute(sa.select(sa.func.count()).select_from(LoyaltyTransaction)).scalar_one()
        answers = db.session.execute(sa.select(sa.func.count()).select_from(IdempotencyKey)).scalar_one()
    return rows, answers


def attempts() -> list[tuple[str, int]]:
    with transaction():
        rows = db.session.execute(sa.select(PinThrottle.subject, PinThrottle.failed_attempts))
        return sorted((subject, number) for subject, number in rows)


@pytest.mark.parametrize("case", KINDS)
def test_it_checks_in_one_order_and_a_refusal_stores_nothing(scene: Scene, case: str) -> None:
    kind = KINDS[case][0]
    other = "points" if kind == "stamps" else "stamps"
    change_program(scene.shop, is_active=False, loyalty_type=other)
    cards.deactivate(actor=scene.shop.ada, card=scene.card.ref, reason="lost", key=make_key(scene.shop.ada))
    before, key = counts(), make_key(scene.shop.mia)
    nobody = CardRef(card_number="0000000000")
    assert code_of(lambda: ask(scene, case, key, card=nobody)) == "CARD_NOT_FOUND"
    assert code_of(lambda: ask(scene, case, key)) == "CARD_INACTIVE"
    assert counts() == before
    cards.reactivate(actor=scene.shop.ada, card=scene.card.ref, reason="found", key=make_key(scene.shop.ada))
    before = counts()
    assert code_of(lambda: ask(scene, case, key)) == "PROGRAM_INACTIVE"
    change_program(scene.shop, is_active=True)
    assert code_of(lambda: ask(scene, case, key)) == f"{kind}_NOT_ENABLED".upper()
    change_program(scene.shop, loyalty_type=kind)
    suspend(scene.shop)
    assert code_of(lambda: ask(scene, case, key)) == "VENDOR_SUSPENDED"
    assert counts() == before
    with transaction():
        db.session.get_one(Vendor, scene.shop.vendor_id).status = "active"
    assert not ask(scene, case, key).replayed
    assert verification.verify().findings == []


@pytest.mark.parametrize("case", KINDS)
def test_it_gives_a_stored_answer_whatever_has_changed_since(scene: Scene, case: str) -> None:
    key = make_key(scene.shop.mia)
    first = ask(scene, case, key)
    change_program(scene.shop, is_active=False)
    cards.deactivate(actor=scene.shop.ada, card=scene.card.ref, reason="lost", key=make_key(scene.shop.ada))
    before = counts()
    assert ask(scene, case, key) == replace(first, replayed=True)
    other = replace(key, request_hash="another")
    assert code_of(lambda: ask(scene, case, other)) == "IDEMPOTENCY_KEY_REUSED"
    assert counts() == before


@pytest.mark.parametrize("case", KINDS)
def test_it_asks_whoever_is_at_an_open_till_for_a_pin(scene: Scene, case: str) -> None:
    nobody = replace(scene.shop.mia, staff_pin_id=None, staff_name="")
    with pytest.raises(StaffPinRequired):
        ask(scene, case, actor=nobody)
    change_policy(scene.shop, staff_pin_policy="optional")
    with pytest.raises(StaffPinRequired):
        ask(scene, case, actor=nobody)
    change_program(scene.shop, require_staff_pin=False)
    assert not ask(scene, case, actor=nobody).replayed


def test_it_asks_no_pin_where_the_policy_has_none(scene: Scene) -> None:
    change_policy(scene.shop, staff_pin_policy="disabled")
    assert db.session.get_one(LoyaltyProgram, scene.shop.program_id).require_staff_pin
    nobody = replace(scene.shop.ben, staff_pin_id=None, staff_name="")
    assert ask(scene, "add", actor=nobody).stamp_count == 27


def test_it_checks_the_pin_before_the_card_and_after_the_key(scene: Scene) -> None:
    made = pins.create(actor=scene.shop.ada, name="Ana", role="staff", store_id=None, key=make_key(scene.shop.ada))
    assert made.pin
    nobody = replace(scene.shop.ben, staff_pin_id=None, staff_name="")
    wrong = Approval(made.pin[::-1] if made.pin != made.pin[::-1] else "135790", made.staff_pin_id)
    with pytest.raises(StaffPinInvalid) as refusal:
        ask(scene, "add", actor=nobody, card=CardRef(card_number="0000000000"), approval=wrong)
    assert refusal.value.attempts_left == 4
    key = make_key(nobody)
    right = Approval(made.pin, made.staff_pin_id)
    first = ask(scene, "add", key, actor=nobody, approval=right)
    row = db.session.get_one(LoyaltyTransaction, first.transaction_id)
    assert row.staff_pin_id == made.staff_pin_id
    counted = attempts()
    # The answer is known: no PIN is looked at, so a wrong one costs nothing and none is missed.
    for approval in (wrong, None):
        assert ask(scene, "add", key, actor=nobody, approval=approval) == replace(first, replayed=True)
    assert attempts() == counted


def test_it_counts_wrong_pins_of_requests_until_it_locks(scene: Scene) -> None:
    made = pins.create(actor=scene.shop.ada, name="Ana", role="staff", store_id=None, key=make_key(scene.shop.ada))
    assert made.pin
    nobody = replace(scene.shop.ben, staff_pin_id=None, staff_name="")
    wrong = Approval(made.pin[::-1] if made.pin != made.pin[::-1] else "135790", made.staff_pin_id)
    for _ in range(5):
        with pytest.raises(StaffPinInvalid):
            ask(scene, "add", actor=nobody, approval=wrong)
    with pytest.raises(StaffPinLocked):
        ask(scene, "add", actor=nobody, approval=Approval(made.pin, made.staff_pin_id))


def test_it_reads_nothing_that_decides_before_the_lock(scene: Scene) -> None:
    """What changed while the till waited for the card counts: here, a rule and the card's last stamp."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(" ".join(statement.split()))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        ask(scene, "add")
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    assert statements[0].startswith("SELECT loyalty_cards.id")
    assert statements[0].endswith("FOR UPDATE")
    assert "clock_timestamp()" in statements[1]
    assert "idempotency_keys" in statements[1]
    assert statements[-1].startswith("INSERT INTO idempotency_keys")
    assert len(statements) <= 6


def test_it_says_when_the_pause_ends_and_who_began_it(scene: Scene) -> None:
    change_program(scene.shop, cooldown_minutes=15)
    with pytest.raises(StampCooldown) as refusal:
        ask(scene, "add")
    stamped = db.session.get_one(LoyaltyTransaction, scene.stamped)
    assert refusal.value.last_stamp_at == stamped.transaction_at
