"""Endpoints of a vendor's own software: added, paused, given a new secret, removed; all by the owner."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select

from loyalty.database import clock, db, new_id
from loyalty.domain import webhooks as rules
from loyalty.domain.settings import SettingError
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.domain.webhooks import EVENTS, TEST_EVENT
from loyalty.errors import N_, NotFound, ValidationError
from loyalty.models.vendors import Vendor
from loyalty.models.webhooks import WebhookDelivery, WebhookEndpoint
from loyalty.services import audit, idempotency, roles, sealing, webhook_events, webhook_sending

MOST: Final = 10
OLD_SECRET_LASTS: Final = timedelta(hours=24)

_allowed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint as the office shows it; `paused_reason` is owner, gone (it answered 410) or failing."""

    endpoint_id: UUID
    url: str
    events: list[str]
    state: str
    paused_reason: str | None
    paused_at: datetime | None
    failing_since: datetime | None
    old_secret_until: datetime | None
    created_at: datetime
    waiting: int
    failed: int
    last_delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class EndpointReceipt:
    """Which endpoint a command was about; a new secret is shown once and never again."""

    endpoint_id: UUID
    url: str
    events: list[str]
    state: str
    secret: str | None = field(default=None, metadata={"secret": True})
    replayed: bool = False


def configure(*, allowed: Collection[str] = ()) -> None:
    """Receive the private places that may be told (`host:port`)."""
    global _allowed
    _allowed = frozenset(allowed)


def require(*, actor: Actor) -> None:
    """Refuse whoever is not the owner, but for software whose key the owner made for a manager's work."""
    by_software = actor.api_key_id is not None
    roles.require(actor=actor, role=Role.MANAGER if by_software else Role.OWNER)


def list_all(*, actor: Actor) -> list[EndpointRow]:
    """List the vendor's endpoints, the oldest first."""
    require(actor=actor)
    return _rows(actor)


def list_stopped(*, actor: Actor) -> list[EndpointRow]:
    """List the endpoints that were paused because they did not answer; nothing for whoever cannot help it."""
    if actor.role < Role.OWNER:
        return []
    return [row for row in _rows(actor) if row.paused_reason in ("gone", "failing")]


def get(*, actor: Actor, endpoint_id: UUID) -> EndpointRow:
    """Get one endpoint of the vendor."""
    for row in list_all(actor=actor):
        if row.endpoint_id == endpoint_id:
            return row
    raise NotFound


def create(*, actor: Actor, details: Mapping[str, object], key: RequestKey) -> EndpointReceipt:
    """Add an endpoint and make its secret."""
    require(actor=actor)
    cleaned = _clean({"url": None, "events": None, **details})

    def work() -> EndpointReceipt:
        # The vendor's row: two new endpoints never exceed the number together.
        db.session.execute(select(Vendor.id).where(Vendor.id == actor.vendor_id).with_for_update())
        if len(_rows(actor)) >= MOST:
            raise ValidationError({"url": N_("There are ten endpoints already. Remove one first.")})
        secret = rules.make_secret()
        endpoint = WebhookEndpoint(
            id=new_id(), vendor_id=actor.vendor_id, secret=_seal(secret), state="active", **cleaned
        )
        db.session.add(endpoint)
        db.session.flush()
        return _done(actor, "webhook.created", endpoint, secret)

    return idempotency.run(key, EndpointReceipt, work, vendor_id=actor.vendor_id)


def change(*, actor: Actor, endpoint_id: UUID, details: Mapping[str, object], key: RequestKey) -> EndpointReceipt:
    """Change where an endpoint is, or what it is told of."""
    require(actor=actor)
    cleaned = _clean(details)

    def fill(endpoint: WebhookEndpoint) -> None:
        for name, value in cleaned.items():
            setattr(endpoint, name, value)

    return _act(actor, "webhook.changed", endpoint_id, key, fill)


def pause(*, actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointReceipt:
    """Send nothing for now; what happens meanwhile waits."""

    def stop(endpoint: WebhookEndpoint) -> None:
        if endpoint.state == "active":
            endpoint.state, endpoint.paused_reason, endpoint.paused_at = "paused", "owner", clock()

    return _act(actor, "webhook.paused", endpoint_id, key, stop)


def resume(*, actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointReceipt:
    """Go on sending, the oldest first."""

    def start(endpoint: WebhookEndpoint) -> None:
        endpoint.state, endpoint.paused_reason, endpoint.paused_at = "active", None, None
        endpoint.failures, endpoint.failing_since, endpoint.quiet_until = 0, None, None
        db.session.flush()
        webhook_sending.hurry_waiting(endpoint_id=endpoint.id, vendor_id=endpoint.vendor_id)

    return _act(actor, "webhook.resumed", endpoint_id, key, start)


def rotate_secret(*, actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointReceipt:
    """Make a new secret; messages carry the signatures of both until the old one ends a day later."""

    def replace(endpoint: WebhookEndpoint) -> str:
        secret = rules.make_secret()
        endpoint.old_secret, endpoint.old_secret_until = endpoint.secret, clock() + OLD_SECRET_LASTS
        endpoint.secret = _seal(secret)
        return secret

    return _act(actor, "webhook.secret_rotated", endpoint_id, key, replace)


def end_old_secret(*, actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointReceipt:
    """Sign with the new secret alone from now on."""

    def forget(endpoint: WebhookEndpoint) -> None:
        endpoint.old_secret, endpoint.old_secret_until = None, None

    return _act(actor, "webhook.old_secret_ended", endpoint_id, key, forget)


def remove(*, actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointReceipt:
    """Send nothing there any more; what waits is never sent."""

    def close(endpoint: WebhookEndpoint) -> None:
        endpoint.state, endpoint.paused_reason, endpoint.paused_at = "removed", None, None

    return _act(actor, "webhook.removed", endpoint_id, key, close)


def send_test(*, actor: Actor, endpoint_id: UUID, key: RequestKey) -> EndpointReceipt:
    """Send an event that says nothing, to see whether the other side answers."""

    def note(endpoint: WebhookEndpoint) -> None:
        endpoint.quiet_until = None
        event = webhook_events.Event(TEST_EVENT, clock(), {})
        webhook_events.write_one(endpoint_id=endpoint.id, vendor_id=actor.vendor_id, event=event)

    return _act(actor, "webhook.tested", endpoint_id, key, note)


def lock(*, actor: Actor, endpoint_id: UUID) -> WebhookEndpoint:
    """Lock an endpoint of the vendor for a change; whoever notes messages for it does not wait."""
    query = _mine(actor).where(WebhookEndpoint.id == endpoint_id).with_for_update(key_share=True)
    endpoint = db.session.scalar(query.execution_options(populate_existing=True))
    if endpoint is None:
        raise NotFound
    return endpoint


def _seal(secret: str) -> str:
    return sealing.seal(secret, purpose=sealing.WEBHOOKS)


def _clean(details: Mapping[str, object]) -> dict[str, object]:
    """Return what is stored, or refuse all wrong fields at once."""
    cleaned: dict[str, object] = {}
    problems: dict[str, str] = {}
    for name, value in details.items():
        try:
            if name == "url":
                rules.parse_url(value, allowed=_allowed)
                cleaned[name] = str(value).strip()
            elif name == "events":
                cleaned[name] = rules.check_events(value)
            else:
                raise SettingError(N_("There is no such setting."))
        except SettingError as problem:
            problems[name] = str(problem)
    if problems:
        raise ValidationError(problems)
    return cleaned


def _mine(actor: Actor) -> Select[WebhookEndpoint]:
    return select(WebhookEndpoint).where(
        WebhookEndpoint.vendor_id == actor.vendor_id, WebhookEndpoint.state != "removed"
    )


def _rows(actor: Actor) -> list[EndpointRow]:
    theirs = select(func.count()).where(WebhookDelivery.endpoint_id == WebhookEndpoint.id)
    last = select(func.max(WebhookDelivery.delivered_at)).where(WebhookDelivery.endpoint_id == WebhookEndpoint.id)
    counts = [
        theirs.where(WebhookDelivery.state == state).correlate(WebhookEndpoint).scalar_subquery()
        for state in ("waiting", "failed")
    ]
    query = _mine(actor).add_columns(*counts, last.correlate(WebhookEndpoint).scalar_subquery())
    found = db.session.execute(query.order_by(WebhookEndpoint.id).execution_options(populate_existing=True))
    return [_row(endpoint, waiting, failed, latest) for endpoint, waiting, failed, latest in found]


def _row(endpoint: WebhookEndpoint, waiting: int, failed: int, last_delivered_at: datetime | None) -> EndpointRow:
    return EndpointRow(
        endpoint_id=endpoint.id,
        url=endpoint.url,
        events=list(endpoint.events),
        state=endpoint.state,
        paused_reason=endpoint.paused_reason,
        paused_at=endpoint.paused_at,
        failing_since=endpoint.failing_since,
        old_secret_until=endpoint.old_secret_until,
        created_at=endpoint.created_at,
        waiting=waiting,
        failed=failed,
        last_delivered_at=last_delivered_at,
    )


def _act(
    actor: Actor, action: str, endpoint_id: UUID, key: RequestKey, change: Callable[[WebhookEndpoint], str | None]
) -> EndpointReceipt:
    """Let the owner change an endpoint, once per key; what the change returns is a secret that is shown once."""
    require(actor=actor)

    def work() -> EndpointReceipt:
        endpoint = lock(actor=actor, endpoint_id=endpoint_id)
        secret = change(endpoint)
        return _done(actor, action, endpoint, secret)

    return idempotency.run(key, EndpointReceipt, work, vendor_id=actor.vendor_id)


def _done(actor: Actor, action: str, endpoint: WebhookEndpoint, secret: str | None = None) -> EndpointReceipt:
    audit.record(actor=actor, action=action, subject_type="webhook", subject_id=endpoint.id)
    return EndpointReceipt(endpoint.id, endpoint.url, list(endpoint.events), endpoint.state, secret)


__all__ = [
    "EVENTS",
    "EndpointReceipt",
    "EndpointRow",
    "change",
    "configure",
    "create",
    "end_old_secret",
    "get",
    "list_all",
    "list_stopped",
    "lock",
    "pause",
    "remove",
    "require",
    "resume",
    "rotate_secret",
    "send_test",
]
