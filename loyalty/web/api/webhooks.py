"""Webhooks: endpoints that are told what happens, and the log of what was sent to each."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from loyalty.domain.bounds import URL_LENGTH
from loyalty.domain.values import Actor, Position, RequestKey, Scope
from loyalty.services import webhook_deliveries, webhooks
from loyalty.services.webhook_deliveries import DeliveryRow, ReplayReceipt
from loyalty.services.webhooks import EndpointReceipt
from loyalty.web.api.operations import operation
from loyalty.web.api.paging import Page, PageQuery, fill_page
from loyalty.web.api.schemas import NO_NUL, Answer, Body

Event = Literal[
    "card.created",
    "card.installed",
    "card.removed",
    "transaction.created",
    "reward.ready",
    "points.expiring",
    "customer.erased",
]
_URL: Any = Field(  # what pydantic calls a field, of any type
    max_length=URL_LENGTH,
    pattern=NO_NUL,
    examples=["https://hooks.example.com/loyalty"],
    description="https on port 443, on the public internet.",
)
_EVENTS: Any = Field(min_length=1, max_length=20, examples=[["transaction.created", "reward.ready"]])


class EndpointBody(Body):
    """A new endpoint."""

    url: str = _URL
    events: list[Event] = _EVENTS


class EndpointChange(Body):
    """What changes of an endpoint; what is left out stays."""

    url: str | None = Field(default=None, max_length=URL_LENGTH, pattern=NO_NUL, examples=["https://hooks.example.com"])
    events: list[Event] | None = Field(default=None, min_length=1, max_length=20, examples=[["reward.ready"]])


class ReplayBody(Body):
    """Since when."""

    since: AwareDatetime = Field(description="Messages of events before this time stay as they are.")


class Endpoint(Answer):
    """An endpoint and how it does."""

    endpoint_id: UUID
    url: str = Field(examples=["https://hooks.example.com/loyalty"])
    events: list[Event]
    state: Literal["active", "paused"]
    paused_reason: Literal["owner", "gone", "failing"] | None = Field(
        description="`gone`: it answered 410. `failing`: it took nothing for a day."
    )
    paused_at: datetime | None
    failing_since: datetime | None
    old_secret_until: datetime | None = Field(description="Until then messages carry two signatures.")
    created_at: datetime
    waiting: int = Field(examples=[0], description="Messages that are still to be sent.")
    failed: int = Field(examples=[0], description="Messages that nobody sends again by themselves.")
    last_delivered_at: datetime | None


class Endpoints(Answer):
    """All endpoints of the shop, ten at most."""

    items: list[Endpoint]


class EndpointDone(Answer):
    """The endpoint after a command."""

    endpoint_id: UUID
    url: str = Field(examples=["https://hooks.example.com/loyalty"])
    events: list[Event]
    state: Literal["active", "paused", "removed"]


class EndpointSecret(EndpointDone):
    """The endpoint with its new secret, which is shown once."""

    secret: str | None = Field(
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], description="Null where it was shown before."
    )
    secret_shown: bool = Field(examples=[False], description="Whether it was shown before.")


class Delivery(Answer):
    """A message to an endpoint, and how the last attempt went."""

    delivery_id: UUID
    event_id: UUID
    event_type: str = Field(examples=["transaction.created"])
    state: Literal["waiting", "delivered", "failed"]
    attempts: int = Field(examples=[1])
    created_at: datetime
    attempted_at: datetime | None
    status: int | None = Field(examples=[200])
    duration_ms: int | None = Field(examples=[42])
    body: dict[str, Any] = Field(description="What was sent.")  # JSON
    answer: str | None = Field(description="The beginning of what came back.")
    error: str | None


class Deliveries(Page[Delivery]):
    """Messages, newest first."""


class DeliveryQuery(PageQuery):
    """Which messages."""

    state: Literal["waiting", "delivered", "failed"] | None = None


class Replayed(Answer):
    """How many messages are sent again."""

    endpoint_id: UUID
    count: int = Field(examples=[3])


@operation("GET", "/vendor/loyalty/webhooks", scope=Scope.MANAGE, answers=Endpoints, tag="Webhooks")
def list_webhooks(actor: Actor) -> Endpoints:
    """List the shop's endpoints, the oldest first."""
    return Endpoints(items=[Endpoint.of(row) for row in webhooks.list_all(actor=actor)])


@operation(
    "POST",
    "/vendor/loyalty/webhooks",
    scope=Scope.MANAGE,
    body=EndpointBody,
    answers=EndpointSecret,
    status=201,
    tag="Webhooks",
)
def create_webhook(actor: Actor, body: EndpointBody, key: RequestKey) -> EndpointSecret:
    """Add an endpoint. Its secret, which messages are signed with, is shown in this answer and never again."""
    return _secret(webhooks.create(actor=actor, details=body.model_dump(), key=key))


@operation("GET", "/vendor/loyalty/webhooks/{endpoint_id}", scope=Scope.MANAGE, answers=Endpoint, tag="Webhooks")
def get_webhook(actor: Actor, endpoint_id: UUID) -> Endpoint:
    """Get one endpoint."""
    return Endpoint.of(webhooks.get(actor=actor, endpoint_id=endpoint_id))


@operation(
    "PATCH",
    "/vendor/loyalty/webhooks/{endpoint_id}",
    scope=Scope.MANAGE,
    body=EndpointChange,
    answers=EndpointDone,
    tag="Webhooks",
)
def change_webhook(actor: Actor, endpoint_id: UUID, body: EndpointChange, key: RequestKey) -> EndpointDone:
    """Change where an endpoint is, or what it is told of."""
    details = body.model_dump(exclude_none=True)
    return EndpointDone.of(webhooks.change(actor=actor, endpoint_id=endpoint_id, details=details, key=key))


@operation(
    "POST", "/vendor/loyalty/webhooks/{endpoint_id}/pause", scope=Scope.MANAGE, answers=EndpointDone, tag="Webhooks"
)
def pause_webhook(actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointDone:
    """Send nothing for now; what happens meanwhile waits for up to 30 days."""
    return _done(webhooks.pause, actor, endpoint_id, key)


@operation(
    "POST", "/vendor/loyalty/webhooks/{endpoint_id}/resume", scope=Scope.MANAGE, answers=EndpointDone, tag="Webhooks"
)
def resume_webhook(actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointDone:
    """Go on sending, with what has waited first."""
    return _done(webhooks.resume, actor, endpoint_id, key)


@operation(
    "POST", "/vendor/loyalty/webhooks/{endpoint_id}/test", scope=Scope.MANAGE, answers=EndpointDone, tag="Webhooks"
)
def send_webhook_test(actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointDone:
    """Send an event of the type `test`, which says nothing."""
    return _done(webhooks.send_test, actor, endpoint_id, key)


@operation(
    "POST", "/vendor/loyalty/webhooks/{endpoint_id}/secret", scope=Scope.MANAGE, answers=EndpointSecret, tag="Webhooks"
)
def rotate_webhook_secret(actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointSecret:
    """Make a new secret; for a day messages carry the signatures of both."""
    return _secret(webhooks.rotate_secret(actor=actor, endpoint_id=endpoint_id, key=key))


@operation(
    "POST",
    "/vendor/loyalty/webhooks/{endpoint_id}/secret/end-old",
    scope=Scope.MANAGE,
    answers=EndpointDone,
    tag="Webhooks",
)
def end_old_webhook_secret(actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointDone:
    """Sign with the new secret alone from now on."""
    return _done(webhooks.end_old_secret, actor, endpoint_id, key)


@operation(
    "GET",
    "/vendor/loyalty/webhooks/{endpoint_id}/deliveries",
    scope=Scope.MANAGE,
    query=DeliveryQuery,
    answers=Deliveries,
    tag="Webhooks",
)
def list_deliveries(actor: Actor, endpoint_id: UUID, query: DeliveryQuery) -> Deliveries:
    """List what was sent to an endpoint and what came back, newest first."""
    log = webhook_deliveries.list_page(
        actor=actor,
        endpoint_id=endpoint_id,
        state=query.state or "",
        before=query.after.id if query.after else None,
        limit=query.most,
    )
    return fill_page(Deliveries, query, log.rows, item=Delivery.of, position=_position)


@operation(
    "POST",
    "/vendor/loyalty/webhooks/{endpoint_id}/replay",
    scope=Scope.MANAGE,
    body=ReplayBody,
    answers=Replayed,
    tag="Webhooks",
)
def replay_failed_deliveries(actor: Actor, endpoint_id: UUID, body: ReplayBody, key: RequestKey) -> Replayed:
    """Send all messages again that failed since a time, the oldest first."""
    done = webhook_deliveries.replay_failed(actor=actor, endpoint_id=endpoint_id, since=body.since, key=key)
    return _replayed(done)


@operation(
    "POST",
    "/vendor/loyalty/webhooks/deliveries/{delivery_id}/replay",
    scope=Scope.MANAGE,
    answers=Replayed,
    tag="Webhooks",
)
def replay_delivery(actor: Actor, delivery_id: UUID, key: RequestKey) -> Replayed:
    """Send one message again, whatever became of it."""
    return _replayed(webhook_deliveries.replay(actor=actor, delivery_id=delivery_id, key=key))


@operation("DELETE", "/vendor/loyalty/webhooks/{endpoint_id}", scope=Scope.MANAGE, answers=EndpointDone, tag="Webhooks")
def remove_webhook(actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointDone:
    """Send nothing to an endpoint any more; what waits is never sent."""
    return _done(webhooks.remove, actor, endpoint_id, key)


def _done(command: Callable[..., EndpointReceipt], actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointDone:
    return EndpointDone.of(command(actor=actor, endpoint_id=endpoint_id, key=key))


def _secret(receipt: EndpointReceipt) -> EndpointSecret:
    return EndpointSecret.of(receipt, secret_shown=receipt.secret is None)


def _replayed(receipt: ReplayReceipt) -> Replayed:
    return Replayed.of(receipt)


def _position(row: DeliveryRow) -> Position:
    return Position(row.created_at, row.delivery_id)
