"""What is sent to a shop's webhooks, for the description of the API; `services.webhook_events` writes it."""

import inspect
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from loyalty.web.api.schemas import Answer


class CardOfEvent(Answer):
    """Of which card, and how it stood after what happened."""

    card_id: UUID
    card_number: str = Field(examples=["4812037753"])
    card_seq: int = Field(
        description="Numbers the rows of the card's ledger without a gap: events can be put in order."
    )
    stamps_balance_after: int
    points_balance_after: int


class InWallet(CardOfEvent):
    """A card that a phone put into its wallet, or threw out of it."""

    wallet: Literal["apple", "google"]


class WrittenTransaction(CardOfEvent):
    """A row of the card's ledger, as it was written."""

    transaction_id: UUID
    transaction_at: AwareDatetime
    transaction_type: str = Field(examples=["stamp_earned"])
    stamps_delta: int
    points_delta: int
    purchase_amount_cents: int | None = None
    order_reference: str | None = None
    reward_id: str | None = None
    reward_description: str | None = None
    related_transaction_id: UUID | None = None
    store_id: UUID | None = None
    staff_pin_id: UUID | None = None
    terminal_id: UUID | None = None
    idempotency_key: str | None = None


class RewardInReach(Answer):
    """A reward that the card's points newly buy."""

    reward_id: str = Field(examples=["cake"])
    reward_name: str = Field(examples=["Cake"])
    points_required: int


class RewardsReached(CardOfEvent):
    """Stamps or points that came to reach one more reward."""

    stamps_reward: str | None = Field(examples=["1 free coffee"])
    stamps_rewards_available: int
    rewards: list[RewardInReach]


class ExpiringPoints(CardOfEvent):
    """Points that expire soon, where nothing happens before."""

    points: int
    expires_at: AwareDatetime


class ErasedCustomer(Answer):
    """A person who was erased: erase them, too."""

    customer_id: UUID
    cards: list[CardOfEvent]


class Nothing(Answer):
    """Nothing: the owner pressed a button."""


EVENT_DATA: Final[dict[str, type[Answer]]] = {
    "card.created": CardOfEvent,
    "card.installed": InWallet,
    "card.removed": InWallet,
    "transaction.created": WrittenTransaction,
    "reward.ready": RewardsReached,
    "points.expiring": ExpiringPoints,
    "customer.erased": ErasedCustomer,
    "test": Nothing,
}
_HEADERS: Final = {
    "webhook-id": "The event's id; the same one can come twice.",
    "webhook-timestamp": "Seconds since 1970 when it was signed.",
    "webhook-signature": "`v1,` and HMAC-SHA256 over id, time and body in base64; two while secrets change.",
}


def describe(event: str, data: dict[str, Any]) -> dict[str, Any]:  # JSON Schema and OpenAPI, as deep as they like
    """Describe the request that tells of an event, whose data have this schema."""
    body = {
        "type": "object",
        "required": ["event_id", "type", "occurred_at", "vendor_code", "data"],
        "additionalProperties": False,
        "properties": {
            "event_id": {"type": "string", "format": "uuid"},
            "type": {"const": event},
            "occurred_at": {"type": "string", "format": "date-time"},
            "vendor_code": {"type": "string", "examples": ["bakery"]},
            "data": data,
        },
    }
    headers = [
        {"name": name, "in": "header", "required": True, "description": about, "schema": {"type": "string"}}
        for name, about in _HEADERS.items()
    ]
    return {
        "post": {
            "summary": (inspect.getdoc(EVENT_DATA[event]) or "").partition("\n")[0],
            "operationId": event,
            "tags": ["Webhooks"],
            "security": [],
            "parameters": headers,
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {
                "2XX": {"description": "Taken. Answer within five seconds."},
                "410": {"description": "No longer wanted: the endpoint is paused at once."},
                "default": {"description": "Not taken: it is sent again for a day."},
            },
        }
    }
