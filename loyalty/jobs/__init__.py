"""What a worker runs: deliver one row of the outbox."""

import logging
from datetime import timedelta
from uuid import UUID

from loyalty.adapters import Held, Paced, Rejected, Unavailable
from loyalty.jobs.handlers import HANDLERS, Handler
from loyalty.jobs.pace import Pace
from loyalty.services import outbox

# A row that keeps changing while it is told must not hold a worker for ever; the sweep comes back to it.
_ROUNDS = 5
# What is held back for less is asked for again and again in vain.
_LEAST_HOLD = timedelta(seconds=1)

# Whom a receiver's trouble keeps waiting for longer than this is given up, visibly.
_LONGEST_HOLD = timedelta(days=7)

_log = logging.getLogger(__name__)
_pace: Pace | None = None


def configure(*, pace: Pace | None) -> None:
    """Receive the measure of how often one card's wallets are told; without one each change is told at once."""
    global _pace
    _pace = pace


def deliver(message_id: str) -> None:
    """Claim a row, act on it, record the outcome; whoever comes second finds nothing to do."""
    for _ in range(_ROUNDS):
        claim = outbox.claim(message_id=UUID(message_id))
        if claim is None or _act(claim):
            return


def _act(claim: outbox.Claim) -> bool:
    """Return True when this worker is done with the row, False when it changed meanwhile."""
    handler = HANDLERS.get(claim.kind)
    if handler is None or claim.exhausted:
        _give_up(claim, "no handler" if handler is None else "every attempt ended its worker")
        return True
    try:
        _keep_pace(handler, claim)
        handler.tell(claim.subject_id)
    except Held as error:
        _hold(claim, error)
    except Unavailable as error:
        _try_later(claim, str(error), timedelta(seconds=error.retry_after or 0))
    except Rejected as error:
        _give_up(claim, str(error))
    except Exception as error:
        # Nothing that one row does may stop the others.
        _log.exception("%s of %s failed", claim.kind, claim.subject_id)
        _try_later(claim, f"{type(error).__name__}: {error}")
    else:
        return _record(handler, claim)
    return True


def _keep_pace(handler: Handler, claim: outbox.Claim) -> None:
    wait = _pace.wait(claim.kind, claim.subject_id) if _pace and handler.holds_state else 0
    if wait > 0:
        raise Paced("told a moment ago; what changes now is told together", retry_after=wait)


def _record(handler: Handler, claim: outbox.Claim) -> bool:
    recorded = outbox.record_delivered(claim=claim)
    if recorded is outbox.Recorded.LOST and handler.holds_state:
        _log.warning("%s of %s took longer than its lease and is told again", claim.kind, claim.subject_id)
        outbox.tell_again(claim=claim)
    return recorded is not outbox.Recorded.CHANGED


def _hold(claim: outbox.Claim, error: Held) -> None:
    if claim.open_for > _LONGEST_HOLD:
        _give_up(claim, str(error))
    else:
        # What only keeps to a pace is no trouble, and stands on nobody's list.
        words = "" if isinstance(error, Paced) else str(error)
        outbox.record_held(claim=claim, error=words, wait=max(_LEAST_HOLD, timedelta(seconds=error.seconds)))


def _try_later(claim: outbox.Claim, error: str, not_within: timedelta = timedelta()) -> None:
    if not outbox.record_failed(claim=claim, error=error, not_within=not_within):
        _tell_owner(claim, error)


def _give_up(claim: outbox.Claim, error: str) -> None:
    if outbox.record_gave_up(claim=claim, error=error):
        _tell_owner(claim, error)


def _tell_owner(claim: outbox.Claim, error: str) -> None:
    """Let the subject show that nobody will try again."""
    # A mail server's answer often repeats whom it is about: it stands with the mail, and goes when the person does.
    words = "its words are kept with the mail" if claim.kind.startswith("mail.") else error
    _log.warning("%s of %s given up: %s", claim.kind, claim.subject_id, words)
    handler = HANDLERS.get(claim.kind)
    if handler is not None:
        handler.gave_up(claim.subject_id, error)
