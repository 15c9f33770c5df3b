"""The screen after something worked: the card with what is new on it, and a harmless button under the finger."""

from dataclasses import asdict
from uuid import UUID

from flask import Response, redirect, session
from werkzeug.wrappers import Response as WerkzeugResponse

from loyalty.web.htmx import is_htmx
from loyalty.web.terminal import shown
from loyalty.web.terminal.stage import show
from loyalty.web.terminal.words import Outcome

_KEPT = "outcome"


def done(outcome: Outcome, *, card_id: UUID, undo: UUID | None = None, new_stamps: int = 0) -> WerkzeugResponse:
    """Show a result; without htmx by way of the card's page, so that loading it again changes nothing."""
    if is_htmx():
        return _show(outcome, card_id, str(undo) if undo else None, new_stamps)
    session[_KEPT] = {
        "outcome": asdict(outcome),
        "card_id": str(card_id),
        "undo": str(undo) if undo else None,
        "new_stamps": new_stamps,
    }
    return redirect(shown.address(card_id), 303)


def find_kept(card_id: UUID) -> Response | None:
    """Show the result that the last request of this browser left for this card, once."""
    kept = session.pop(_KEPT, None)
    if kept is None or kept["card_id"] != str(card_id):
        return None
    return _show(Outcome(**kept["outcome"]), card_id, kept["undo"], kept["new_stamps"])


def _show(outcome: Outcome, card_id: UUID, undo: str | None, new_stamps: int) -> Response:
    card = shown.read(card_id)
    return show(
        "result",
        title=outcome.title,
        feedback=outcome.feedback,
        card=card,
        outcome=outcome,
        undo=undo,
        new_stamps=new_stamps,
    )
