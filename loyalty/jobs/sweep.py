"""What the clock runs every minute: ring for overdue rows, forget old answers. Safe to run twice at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty import queue
from loyalty.services import idempotency, outbox

_RINGS = 1000
_ANSWERS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    rung: int
    answers_deleted: int


def run(at: datetime) -> Swept:
    """Ring for every overdue row of the outbox and delete idempotency keys older than 30 days."""
    overdue = outbox.due(limit=_RINGS)
    for message_id in overdue:
        queue.poke(message_id)
    return Swept(len(overdue), idempotency.delete_older(before=at - _ANSWERS_KEPT))
