"""Telling Google Wallet: the class of a program, the object of a card, and once a day who still has it saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from loyalty.adapters import Rejected, Unavailable
from loyalty.adapters.google_api import ClassMissing, GoogleApi, Kind
from loyalty.jobs.patience import Patience
from loyalty.services import google_callbacks, google_passes
from loyalty.services.google_content import ToTell
from loyalty.wallets.google_keys import RootKeys

# A sweep runs every minute, so this is a look at 28,800 cards a day.
_LOOKS = 20

_api: GoogleApi | None = None


_patience = Patience("Google")


def configure(*, api: GoogleApi | None, roots: RootKeys | None) -> None:
    """Receive the adapters that app.py has built; None where Google Wallet is off."""
    global _api, _patience
    _api, _patience = api, Patience("Google")
    google_callbacks.configure(roots=roots)


def write_class(program_id: UUID) -> None:
    """Make a program's class as it is now, and have its cards looked at."""
    api, told = _require_api(), google_passes.find_class(program_id=program_id)
    if told is None:
        return
    if not told.current:
        with _asking():
            api.put_class(told.described, known=told.known)
        google_passes.record_class(told=told)
    google_passes.spread(program_id=program_id)


def write_object(card_id: UUID) -> None:
    """Make a card's object as it is now, its class first where Google has none."""
    api, told = _require_api(), google_passes.find_object(card_id=card_id)
    if told is None:
        return
    # A link names both, so the class has to be there as well.
    _write_missing_class(api, told.program_id)
    if told.current:
        return
    with _asking():
        try:
            api.put_object(told.described, known=told.known)
        except ClassMissing:
            _write_missing_class(api, told.program_id, lost=True)
            api.put_object(told.described, known=False)
    google_passes.record_object(card_id=card_id, told=told, at=datetime.now(UTC))


def is_quiet() -> bool:
    """Whether Google is left alone for now."""
    return _patience.left() > 0


def gave_up(subject_id: UUID, error: str) -> None:
    """Nothing more to note: the row keeps the reason, and a saved card is told anew after its daily look."""


def reconcile(at: datetime) -> int:
    """Ask Google who has saved the cards that nobody has asked about for a day; stop at the first trouble."""
    if _api is None or not google_passes.is_on():
        return 0
    looked = 0
    try:
        for card_id, object_id in google_passes.to_look_up(at=at, limit=_LOOKS).items():
            with _asking():
                found = _api.find(Kind.OBJECT, object_id)
            google_passes.record_users(card_id=card_id, has_users=bool(found and found.get("hasUsers")), at=at)
            looked += 1
    except (Unavailable, Rejected):
        # The next sweep comes in a minute.
        return looked
    return looked


def _write_missing_class(api: GoogleApi, program_id: UUID, *, lost: bool = False) -> None:
    told: ToTell | None = google_passes.find_class(program_id=program_id)
    if told is None or (told.known and not lost):
        return
    with _asking():
        api.put_class(told.described, known=False)
    google_passes.record_class(told=told)


def _require_api() -> GoogleApi:
    if _api is None or not google_passes.is_on():
        raise Rejected(google_passes.reason_off() or "Google Wallet is off.")
    return _api


@contextmanager
def _asking() -> Iterator[None]:
    """Ask Google, unless it has just failed several times; that it lacks a class is an answer, too."""
    lost: ClassMissing | None = None
    with _patience.asking():
        try:
            yield
        except ClassMissing as error:
            lost = error
    if lost is not None:
        raise lost
