"""What the clock runs every minute: ring for overdue rows, forget old answers. Safe to run twice at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty import queue
from loyalty.jobs import google, webhooks
from loyalty.services import google_callbacks, health, idempotency, outbox, privacy_phones, stats_rollup, wallet_setups

# Few enough that what is rung for by a stamp or a mail does not wait long behind them; each worker looks for the rest.
_RINGS = 200
_ANSWERS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    rung: int
    answers_deleted: int
    looked_up: int = 0


def run(at: datetime) -> Swept:
    """Ring for every overdue row of the outbox, forget what is old, and ask Google who has saved which cards."""
    overdue = outbox.due(limit=_RINGS)
    for message_id in overdue:
        queue.poke(message_id)
    deleted = idempotency.delete_older(before=at - _ANSWERS_KEPT)
    outbox.delete_ended(at=at)
    google_callbacks.delete_expired(before=at)
    webhooks.sweep(at)
    wallet_setups.tell_of_changes()
    privacy_phones.forget_phones(at=at)
    looked_up = google.reconcile(at)
    stats_rollup.roll_up(at=at)
    health.note_run(name="sweep", at=at)
    return Swept(len(overdue), deleted, looked_up)
