"""A PIN that comes with a request: because a rule asks for a manager, or for anybody at all."""

from dataclasses import dataclass
from datetime import datetime

from flask import Response, request, url_for

from loyalty.domain.values import Actor, Role
from loyalty.errors import Forbidden, LoyaltyError, StaffPinInvalid, StaffPinLocked, StaffPinRequired
from loyalty.services import pins
from loyalty.services.till import Approval
from loyalty.web.access import current_actor, now, terminal_session
from loyalty.web.sentences import gettext, ngettext
from loyalty.web.terminal.fields import uuid_field
from loyalty.web.terminal.stage import show

_NOT_REPEATED = ("csrf_token", "staff_pin", "staff_pin_id")


@dataclass(frozen=True, slots=True)
class _Asked:
    role: Role
    why: str


def find_approval() -> Approval | None:
    """Return the PIN that came with this request, None where none did."""
    pin = request.form.get("staff_pin", "")
    return Approval(pin, uuid_field("staff_pin_id")) if pin else None


def approved_actor() -> Actor:
    """Return who acts: the person whose PIN came with the request, else who is signed in."""
    approval = find_approval()
    if approval is None:
        return current_actor()
    return pins.verify(actor=current_actor(), pin=approval.pin, staff_pin_id=approval.staff_pin_id, at=now())


def is_about_pin(error: LoyaltyError) -> bool:
    """Whether the same request would go through with another PIN."""
    if isinstance(error, StaffPinRequired | StaffPinInvalid | StaffPinLocked):
        return True
    return isinstance(error, Forbidden) and bool(request.form.get("staff_pin"))


def ask_again(error: LoyaltyError, status: int) -> Response:
    """Ask for a PIN on top of the request that was refused: the same form, the same key."""
    asked = _who(error)
    session = terminal_session()
    error_words, wait_until = pin_words(error)
    tiles = [tile for tile in pins.tiles(actor=current_actor()) if tile.role >= asked.role]
    return show(
        "manager_pin",
        title=gettext("A manager’s PIN is needed") if asked.role > Role.STAFF else gettext("A PIN is needed"),
        status=status,
        feedback="warn" if isinstance(error, StaffPinRequired) else "bad",
        announce=error_words,
        action=request.path,
        fields=[pair for pair in request.form.items(multi=True) if pair[0] not in _NOT_REPEATED],
        tiles=tiles,
        needs_manager=asked.role > Role.STAFF,
        why=asked.why,
        back=url_for("terminal.index"),
        pin_length=session.pin_length if session else None,
        error=error_words,
        wait_until=wait_until,
        chosen=uuid_field("staff_pin_id"),
    )


def pin_words(error: LoyaltyError | None) -> tuple[str | None, datetime | None]:
    """Return what to say beside the PIN field, and until when to wait."""
    if isinstance(error, StaffPinLocked):
        return None, error.locked_until
    if isinstance(error, Forbidden):
        return gettext("This PIN may not do this. Ask a manager."), None
    if not isinstance(error, StaffPinInvalid):
        return None, None
    if error.details.get("locked_until"):
        return gettext("This PIN is not right."), error.locked_until
    left = error.details.get("attempts_left", 0)
    return (
        ngettext(
            "This PIN is not right. %(num)s more try before a pause.",
            "This PIN is not right. %(num)s more tries before a pause.",
            left,
        ),
        None,
    )


def _who(error: LoyaltyError) -> _Asked:
    # A wrong PIN does not say what it was for: the form remembers nothing, so every name stays on offer.
    if isinstance(error, StaffPinRequired) and error.details.get("role") == "manager":
        return _Asked(Role.MANAGER, _reason())
    if isinstance(error, Forbidden):
        return _Asked(Role.MANAGER, _reason())
    if request.endpoint in ("terminal.void", "terminal.unpair", "terminal.save_settings"):
        return _Asked(Role.MANAGER, _reason())
    return _Asked(Role.STAFF, gettext("This shop asks for a PIN each time."))


def _reason() -> str:
    if request.endpoint == "terminal.void":
        return gettext("It is more than ten minutes ago, or somebody else did it.")
    return gettext("Only a manager may change this.")
