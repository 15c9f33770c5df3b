"""Who is at the till: the PIN, the lock, and the tablet's sign of life."""

from uuid import UUID

from flask import Response, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from loyalty.domain.values import Role
from loyalty.errors import CardNotFound, LoyaltyError, StaffPinInvalid, StaffPinLocked, StaffPinRequired
from loyalty.services import pins, terminals
from loyalty.services.card_views import CounterCard
from loyalty.web.access import current_actor, now, requires, terminal_paired, terminal_session
from loyalty.web.htmx import is_htmx
from loyalty.web.sentences import gettext
from loyalty.web.terminal import pending, shown
from loyalty.web.terminal.approvals import pin_words
from loyalty.web.terminal.blueprint import blueprint
from loyalty.web.terminal.cards import show_card_screen
from loyalty.web.terminal.fields import uuid_field
from loyalty.web.terminal.lookup import ready
from loyalty.web.terminal.stage import forget_session, here, show


@blueprint.post("/pin")
@terminal_paired
def pin() -> WerkzeugResponse:
    """Open the till for the person whose PIN this is, and go back to what the lock interrupted."""
    chosen = uuid_field("staff_pin_id")
    if not request.form.get("staff_pin"):
        # A slip of the finger is no guess, and costs no try.
        return ask_for_pin(StaffPinRequired(role="staff"), chosen=chosen)
    try:
        terminals.open_session(
            actor=current_actor(), pin=request.form.get("staff_pin", ""), staff_pin_id=chosen, at=now()
        )
    except (StaffPinInvalid, StaffPinLocked) as refusal:
        return ask_for_pin(refusal, chosen=chosen)
    forget_session()
    left_open = pending.from_pin_form(request.form)
    if left_open is not None:
        return pending.offer(left_open)
    return _go_back(uuid_field("card"))


@blueprint.post("/lock")
@terminal_paired
def lock() -> WerkzeugResponse:
    """Lock the till; the card on the screen comes back after the next PIN."""
    terminals.lock(actor=current_actor())
    forget_session()
    if is_htmx():
        return ask_for_pin(card=uuid_field("card"))
    return redirect(url_for("terminal.index"), 303)


@blueprint.get("/ping")
@terminal_paired
def ping() -> Response:
    """Say that the server is there and the tablet still belongs to it; keeps nobody signed in."""
    return make_response("", 204)


@blueprint.get("/stay")
@requires(Role.STAFF)
def stay() -> Response:
    """Keep the till open for the person at it."""
    return make_response("", 204)


def ask_for_pin(
    refusal: LoyaltyError | None = None,
    *,
    chosen: UUID | None = None,
    card: UUID | None = None,
    interrupted: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Show names and digits; `interrupted` is what was being done, offered again after the PIN."""
    session = terminal_session()
    error, wait_until = pin_words(refusal)
    if isinstance(refusal, StaffPinRequired):
        error = gettext("Enter your PIN to continue")
    return show(
        "pin",
        title=gettext("Enter your PIN to continue"),
        status=refusal.status if refusal else status,
        feedback="bad" if refusal else None,
        announce=error,
        tiles=pins.tiles(actor=here()),
        pin_length=session.pin_length if session else None,
        error=error,
        wait_until=wait_until,
        needs_manager=bool(refusal and refusal.details.get("needs_manager")),
        chosen=chosen,
        open_card=card or uuid_field("card"),
        open_number=shown.number(),
        pending=interrupted if interrupted is not None else pending.as_fields(pending.from_pin_form(request.form)),
    )


def _go_back(card_id: UUID | None) -> WerkzeugResponse:
    card = _find_card(card_id) if card_id else None
    if not is_htmx():
        return redirect(shown.address(card.card_id) if card else url_for("terminal.index"), 303)
    return show_card_screen(card.card_id, card=card) if card else ready()


def _find_card(card_id: UUID) -> CounterCard | None:
    try:
        return shown.read(card_id)
    except CardNotFound:
        return None
