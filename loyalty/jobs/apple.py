"""Telling phones that an Apple pass has changed: number the change, push, remember who was told."""

from uuid import UUID

from loyalty.adapters import Held, Unavailable
from loyalty.adapters.apns import ApnsPusher, Pushed
from loyalty.jobs.patience import Patience
from loyalty.services import apple_devices, passes

# While certificates are broken nothing is lost and no attempt is counted: changes wait.
_OFF_SECONDS = 300.0
# One transaction holds up no till; the workers then push as fast as they can, stamps of the moment in between.
_BATCH = 500

_apns: ApnsPusher | None = None
_patience = Patience("Apple")


def configure(*, apns: ApnsPusher | None) -> None:
    """Receive what pushes; None where phones are left to ask by themselves."""
    global _apns, _patience
    if _apns is not None and _apns is not apns:
        _apns.close()
    _apns, _patience = apns, Patience("Apple")


def is_quiet() -> bool:
    """Whether Apple is left alone for now."""
    return _patience.left() > 0 or (_apns is not None and _apns.pauses())


def push(card_id: UUID) -> None:
    """Have every phone that holds a card's pass and does not know its present state fetch it."""
    if passes.find_pass_type() is None:
        raise Held("Apple passes are off: look at their certificates", retry_after=_OFF_SECONDS)
    # Numbered before the push: a phone that was woken asks at once what has changed.
    change = apple_devices.prepare_push(card_id=card_id)
    if change is None or _apns is None:
        return
    done = _push(_apns, change)
    apple_devices.record_pushed(push=change, tokens=done.accepted)
    forgotten = [
        apple_devices.forget(pass_type=change.pass_type, push_token=token, gone_at=at)
        for token, at in done.gone.items()
    ]
    if done.trouble is not None:
        raise done.trouble
    if not all(forgotten):
        # The phone has come back under the same address since Apple missed it.
        raise Unavailable("a phone registered anew while it was told")


def push_program(vendor_id: UUID) -> None:
    """Put every card of a vendor that is in a phone on the list; repeated after a stop, none is there twice."""
    last: UUID | None = UUID(int=0)
    while last is not None:
        last = passes.tell_next_cards(vendor_id=vendor_id, after=last, limit=_BATCH)


def gave_up(subject_id: UUID, error: str) -> None:
    """Leave the phones to themselves: they ask now and then, and find the number of the change."""


def _push(apns: ApnsPusher, change: apple_devices.Push) -> Pushed:
    """Push, unless Apple has just failed several times; one phone that cannot be told says nothing about Apple."""
    left = _patience.left()
    if left > 0:
        raise Held("Apple does not answer and is left alone for a while", retry_after=left)
    done = apns.push(change.tokens, change.asked_at)
    if done.away and done.trouble is not None:
        done.trouble = _patience.failed(done.trouble)
    else:
        _patience.succeeded()
    return done
