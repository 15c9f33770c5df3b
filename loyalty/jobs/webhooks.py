"""Telling a vendor's own software: one attempt for one message."""

from datetime import UTC, datetime
from uuid import UUID

from loyalty.adapters import Held, Paced, Unavailable
from loyalty.adapters.webhook import WebhookSender
from loyalty.database import clock_offset
from loyalty.services import webhook_sending

_sender: WebhookSender | None = None


def configure(*, sender: WebhookSender) -> None:
    """Receive the adapter that app.py has built."""
    global _sender
    _sender = sender


def send(delivery_id: UUID) -> None:
    """Send a message where it still waits and its endpoint is free; the endpoint's state says when to come again."""
    if _sender is None:
        raise Unavailable("no sender is configured")
    outgoing = webhook_sending.start(delivery_id=delivery_id, at=_now())
    if outgoing is None:
        return
    if isinstance(outgoing, webhook_sending.Wait):
        seconds = outgoing.by.total_seconds()
        if outgoing.busy:
            raise Paced("the endpoint is being told something else", retry_after=seconds)
        raise Held("the endpoint rests after a failure", retry_after=seconds)
    answer = _sender.send(url=outgoing.url, body=outgoing.body, headers=outgoing.headers)
    wait = webhook_sending.record(outgoing=outgoing, answer=answer, at=_now())
    if wait is not None:
        raise Unavailable(answer.error or f"answered {answer.status}", retry_after=wait.total_seconds())


def gave_up(delivery_id: UUID, error: str) -> None:
    """Show the message as failed in the owner's log."""
    webhook_sending.record_gave_up(delivery_id=delivery_id, error=error)


def sweep(at: datetime) -> None:
    """Forget old messages, and send what a resumed endpoint still has to get."""
    webhook_sending.delete_older(before=at - webhook_sending.KEPT)
    webhook_sending.queue_forgotten()


def _now() -> datetime:
    return datetime.now(UTC) + clock_offset()
