"""What the clock runs every minute: the list of its tasks. Safe to run twice at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask.globals import app_ctx

from loyalty import queue
from loyalty.jobs import clock, google, webhooks
from loyalty.jobs.clock import Task
from loyalty.services import (
    clock_tasks,
    closing,
    digests,
    expiry,
    google_callbacks,
    idempotency,
    lifecycle,
    outbox,
    privacy_phones,
    privacy_unproven,
    retention,
    stats_rollup,
    throttles,
    wallet_setups,
)

# Few enough that what is rung for by a stamp or a mail does not wait long behind them; each worker looks for the rest.
_RINGS = 200
_ANSWERS_KEPT = timedelta(days=30)
_ATTEMPTS_KEPT = timedelta(days=1)
_HOURS: Final = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    rung: int
    answers_deleted: int
    looked_up: int = 0
    expired: int = 0


def run(at: datetime) -> Swept:
    """Run every task that is due."""
    clock.aside("tell of what is late", lambda: clock_tasks.tell_late(at=at))
    done = clock.run(app=app_ctx.app, tasks=TASKS, at=at)
    return Swept(done.get("ring", 0), done.get("answers", 0), done.get("google", 0), done.get("expiry", 0))


def _ring(at: datetime) -> int:
    overdue = outbox.due(limit=_RINGS)
    for message_id in overdue:
        queue.poke(message_id)
    return len(overdue)


def _forget_answers(at: datetime) -> int:
    # Counted attempts name networks of people; nothing counts them for longer than a day.
    throttles.forget_old(at=at, memory=_ATTEMPTS_KEPT)
    return idempotency.delete_older(before=at - _ANSWERS_KEPT)


def _forget_deliveries(at: datetime) -> None:
    outbox.delete_ended(at=at)
    google_callbacks.delete_expired(before=at)


def _tell_of_changed_setups(at: datetime) -> None:
    wallet_setups.tell_of_changes()


def _forget_phones(at: datetime) -> None:
    privacy_phones.forget_phones(at=at)


def _count(at: datetime) -> None:
    stats_rollup.roll_up(at=at)


def _expire(at: datetime) -> int:
    return expiry.run(at=at).expired


def _retain(at: datetime) -> int:
    privacy_unproven.forget(at=at)
    return retention.run(at=at).erased


def _digest(at: datetime) -> int:
    return digests.run(at=at)


def _write_to_customers(at: datetime) -> int:
    return lifecycle.run(at=at)


def _close(at: datetime) -> int:
    told = closing.tell_customers()
    return told + closing.close_due(at=at)


# What takes long with many shops may be away for longer before it is late.
TASKS: Final = (
    Task("ring", _ring),
    Task("answers", _forget_answers),
    Task("deliveries", _forget_deliveries),
    Task("webhooks", webhooks.sweep),
    Task("setups", _tell_of_changed_setups),
    Task("phones", _forget_phones),
    Task("retention", _retain, every=timedelta(hours=1), late_after=timedelta(days=1)),
    Task("closing", _close),
    Task("google", google.reconcile),
    Task("digests", _digest, every=timedelta(minutes=30), late_after=timedelta(days=1)),
    Task("lifecycle", _write_to_customers, every=timedelta(hours=1), late_after=timedelta(days=1)),
    Task("statistics", _count, late_after=_HOURS),
    Task("expiry", _expire, late_after=_HOURS),
)
