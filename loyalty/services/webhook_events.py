"""What a vendor's own software is told: events, noted in the transaction of what happened.

A body says how things were then; receivers bring events back into order by `card_seq`. Nothing in it is personal
beyond ids and the card's number.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, literal_column, select, text

from loyalty.database import AnyRow, db, new_id
from loyalty.domain.values import LoyaltyType, TransactionType
from loyalty.domain.webhooks import EVENTS
from loyalty.models.cards import LoyaltyCard
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.models.vendors import Vendor
from loyalty.models.webhooks import WebhookDelivery, WebhookEndpoint
from loyalty.services import outbox, replaced_codes
from loyalty.services.ledger import Origin

# Columns of the ledger that are told as they are; free text stays here.
_TOLD: Final = (
    "transaction_type",
    "stamps_delta",
    "points_delta",
    "purchase_amount_cents",
    "order_reference",
    "reward_id",
    "reward_description",
    "related_transaction_id",
    "store_id",
    "staff_pin_id",
    "terminal_id",
    "idempotency_key",
)
# What a row of the ledger can cause.
_OF_THE_LEDGER: Final = ("card.created", "transaction.created", "reward.ready")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in words that are sent: `data` holds JSON values."""

    event_type: str
    occurred_at: datetime
    data: Json


@dataclass(frozen=True, slots=True)
class _Receivers:
    """A vendor's endpoints that are not removed, and the name under which the vendor is known."""

    vendor_code: str
    endpoints: list[AnyRow]

    def want(self, event_type: str) -> bool:
        """Whether anybody asked for this kind of event."""
        return any(event_type in endpoint.events for endpoint in self.endpoints)


def wanted() -> ColumnElement[bool]:
    """Return the question whether a program's shop wants to hear of its ledger, for a statement that runs anyway."""
    names = ", ".join(f"'{event}'" for event in _OF_THE_LEDGER)
    asks = WebhookEndpoint.events.op("?|")(text(f"ARRAY[{names}]"))
    # Written out, so that a prepared statement finds the partial index.
    listening = WebhookEndpoint.state != literal_column("'removed'")
    asking = select(1).where(WebhookEndpoint.vendor_id == LoyaltyProgram.vendor_id, listening, asks)
    return asking.correlate(LoyaltyProgram).exists()


def ledger_written(*, origin: Origin, card_number: str) -> None:
    """Tell of the rows that were just written to a card's ledger."""
    receivers = _find_receivers(origin.vendor_id)
    if receivers is None or not origin.written:
        return
    events = []
    for row in origin.written:
        if row["transaction_type"] == TransactionType.CARD_CREATED.value:
            events.append(Event("card.created", row["transaction_at"], _place(row, card_number)))
        events.append(Event("transaction.created", row["transaction_at"], _told(row, card_number)))
    if receivers.want("reward.ready") and (reached := _reached(origin)):
        last = origin.written[-1]
        events.append(Event("reward.ready", last["transaction_at"], _place(last, card_number) | reached))
    _write(origin.vendor_id, receivers, events)


def card_installed(*, card_id: UUID, vendor_id: UUID, wallet: Literal["apple", "google"], at: datetime) -> None:
    """Tell that a phone took a card into its wallet."""
    _tell_of_card("card.installed", card_id, vendor_id, {"wallet": wallet}, at)


def card_removed(*, card_id: UUID, vendor_id: UUID, wallet: Literal["apple", "google"], at: datetime) -> None:
    """Tell that a phone threw a card out of its wallet."""
    _tell_of_card("card.removed", card_id, vendor_id, {"wallet": wallet}, at)


def points_expiring(*, card_id: UUID, vendor_id: UUID, points: int, expires_at: datetime, at: datetime) -> None:
    """Tell that points of a card expire soon."""
    _tell_of_card("points.expiring", card_id, vendor_id, {"points": points, "expires_at": _moment(expires_at)}, at)


def customer_erased(*, customer_id: UUID, vendor_id: UUID, at: datetime) -> None:
    """Tell that a person was erased, with the ids under which their software may know them."""
    receivers = _find_receivers(vendor_id)
    if receivers is None or not receivers.want("customer.erased"):
        return
    theirs = _CARD.where(LoyaltyCard.customer_id == customer_id, LoyaltyCard.vendor_id == vendor_id)
    cards = [_card(row) for row in db.session.execute(theirs.order_by(LoyaltyCard.id))]
    data = {"customer_id": str(customer_id), "cards": cards}
    _write(vendor_id, receivers, [Event("customer.erased", at, data)])


def write_one(*, endpoint_id: UUID, vendor_id: UUID, event: Event) -> UUID:
    """Note an event for one endpoint alone, whatever it asked for; returns the delivery's id."""
    code = db.session.execute(select(Vendor.code).where(Vendor.id == vendor_id)).scalar_one()
    row = _row(vendor_id, endpoint_id, _body(event, code), at=event.occurred_at)
    db.session.execute(insert(WebhookDelivery).values(row))
    queue_delivery(delivery_id=row["id"], vendor_id=vendor_id)
    return UUID(str(row["id"]))


def queue_delivery(*, delivery_id: UUID, vendor_id: UUID) -> None:
    """Have a message sent, in the caller's transaction."""
    outbox.add(kind="webhook.delivery", subject_id=delivery_id, vendor_id=vendor_id)


_CARD: Final = select(
    LoyaltyCard.id,
    LoyaltyCard.card_number,
    LoyaltyCard.ledger_seq,
    LoyaltyCard.stamp_count,
    LoyaltyCard.points_balance,
).where(replaced_codes.is_card())


def _find_receivers(vendor_id: UUID) -> _Receivers | None:
    rows = db.session.execute(
        select(WebhookEndpoint.id, WebhookEndpoint.state, WebhookEndpoint.events, Vendor.code)
        .join(Vendor, Vendor.id == WebhookEndpoint.vendor_id)
        .where(WebhookEndpoint.vendor_id == vendor_id, WebhookEndpoint.state != "removed")
        .order_by(WebhookEndpoint.id)
    ).all()
    return _Receivers(rows[0].code, list(rows)) if rows else None


def _tell_of_card(event_type: str, card_id: UUID, vendor_id: UUID, more: Mapping[str, Any], at: datetime) -> None:
    receivers = _find_receivers(vendor_id)
    if receivers is None or not receivers.want(event_type):
        return
    # An old pass of a card that was replaced is nothing that a shop's software knows of.
    mine = _CARD.where(LoyaltyCard.id == card_id, LoyaltyCard.vendor_id == vendor_id)
    row = db.session.execute(mine).one_or_none()
    if row is None:
        return
    _write(vendor_id, receivers, [Event(event_type, at, _card(row) | dict(more))])


def _write(vendor_id: UUID, receivers: _Receivers, events: Iterable[Event]) -> None:
    """Note each event once for everybody who wants it; what a paused endpoint missed is sent when it goes on."""
    rows, active = [], {endpoint.id for endpoint in receivers.endpoints if endpoint.state == "active"}
    for event in events:
        body = _body(event, receivers.vendor_code)
        wanting = [endpoint.id for endpoint in receivers.endpoints if event.event_type in endpoint.events]
        rows += [_row(vendor_id, endpoint_id, body, at=event.occurred_at) for endpoint_id in wanting]
    if not rows:
        return
    # Ids of the same millisecond are in no order, and the log and a resumed endpoint go by them.
    for row, delivery_id in zip(rows, sorted(row["id"] for row in rows), strict=True):
        row["id"] = delivery_id
    db.session.execute(insert(WebhookDelivery), rows)
    for row in rows:
        if row["endpoint_id"] in active:
            queue_delivery(delivery_id=row["id"], vendor_id=vendor_id)


def _row(vendor_id: UUID, endpoint_id: UUID, body: Json, *, at: datetime) -> Json:
    return {
        "id": new_id(),
        "vendor_id": vendor_id,
        "endpoint_id": endpoint_id,
        "event_id": UUID(body["event_id"]),
        "event_type": body["type"],
        "body": body,
        "created_at": at,
    }


def _body(event: Event, vendor_code: str) -> Json:
    return {
        "event_id": str(new_id()),
        "type": event.event_type,
        "occurred_at": _moment(event.occurred_at),
        "vendor_code": vendor_code,
        "data": event.data,
    }


def _place(row: Mapping[str, Any], card_number: str) -> Json:
    """Say of which card a row of the ledger is, and how the card stood after it."""
    return {
        "card_id": str(row["card_id"]),
        "card_number": card_number,
        "card_seq": row["seq"],
        "stamps_balance_after": row["stamps_balance_after"],
        "points_balance_after": row["points_balance_after"],
    }


def _told(row: Mapping[str, Any], card_number: str) -> Json:
    values = {name: str(row[name]) if isinstance(row[name], UUID) else row[name] for name in _TOLD}
    at = {"transaction_id": str(row["id"]), "transaction_at": _moment(row["transaction_at"])}
    return _place(row, card_number) | at | values


def _card(row: AnyRow) -> Json:
    return {
        "card_id": str(row.id),
        "card_number": row.card_number,
        "card_seq": row.ledger_seq,
        "stamps_balance_after": row.stamp_count,
        "points_balance_after": row.points_balance,
    }


def _reached(origin: Origin) -> Json | None:
    """Say which rewards came within reach by the rows that were written; None where it is none."""
    first, last = origin.written[0], origin.written[-1]
    program = db.session.execute(
        select(LoyaltyProgram).where(LoyaltyProgram.vendor_id == origin.vendor_id)
    ).scalar_one()
    stamps, target = last["stamps_balance_after"], program.stamps_target
    before = first["stamps_balance_after"] - first["stamps_delta"]
    with_stamps = program.loyalty_type != LoyaltyType.POINTS and stamps // target > before // target
    bought = _affordable(program, first["points_balance_after"] - first["points_delta"], last["points_balance_after"])
    if not with_stamps and not bought:
        return None
    return {
        "stamps_reward": program.stamps_reward_description if with_stamps else None,
        "stamps_rewards_available": stamps // target,
        "rewards": bought,
    }


def _affordable(program: LoyaltyProgram, before: int, after: int) -> list[Json]:
    """List the rewards that points newly buy."""
    if after <= before or program.loyalty_type == LoyaltyType.STAMPS:
        return []
    price = func.greatest(Reward.points_required, program.minimum_redemption_points)
    newly = select(Reward).where(Reward.program_id == program.id, Reward.active, price > before, price <= after)
    rows = db.session.scalars(newly.order_by(Reward.points_required, Reward.sort_order, Reward.public_id))
    return [{"reward_id": r.public_id, "reward_name": r.name, "points_required": r.points_required} for r in rows]


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


__all__ = [
    "EVENTS",
    "Event",
    "card_installed",
    "card_removed",
    "customer_erased",
    "ledger_written",
    "points_expiring",
    "queue_delivery",
    "wanted",
    "write_one",
]
