"""Finding a card: scanned, typed, or asked for by phone, e-mail or name."""

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from loyalty.domain.codes import is_scan_code
from loyalty.domain.values import Role
from loyalty.services import card_search
from loyalty.web.access import current_actor, requires
from loyalty.web.htmx import is_htmx
from loyalty.web.sentences import gettext
from loyalty.web.terminal.blueprint import blueprint
from loyalty.web.terminal.cards import show_card_screen
from loyalty.web.terminal.stage import show


# POST, so that no phone number stands in an address or a log.
@blueprint.post("/lookup")
@requires(Role.STAFF)
def lookup() -> WerkzeugResponse:
    """Show the card that was meant, the ones that may be meant, or that there is none."""
    typed = request.form.get("q", "").strip()[: card_search.LONGEST_TEXT]
    if not typed:
        return ready(error=gettext("Scan a card, or type a number, a phone, an e-mail or a name."), status=422)
    matches = card_search.look_up(actor=current_actor(), text=typed)
    if not matches:
        return _not_found(typed)
    if len(matches) > 1:
        return show("matches", title=gettext("Several cards match. Which one?"), status=409, matches=matches)
    if is_htmx():
        return show_card_screen(matches[0].card_id)
    return redirect(url_for("terminal.show_card", card_id=matches[0].card_id), 303)


def ready(*, q: str = "", error: str | None = None, status: int = 200) -> Response:
    """Show the screen on which the next customer's card is read."""
    return show("ready", title=gettext("Scan the customer’s card"), q=q, error=error, status=status)


def _not_found(typed: str) -> Response:
    # A whole code with a right check letter was printed by somebody: another shop, which is not named.
    if is_scan_code(typed):
        title = gettext("This card belongs to another shop")
        reason = gettext("It cannot be used here. Ask for the card of this shop, or make one.")
    else:
        title = gettext("Card not found")
        reason = gettext("“%(text)s” is not a card of this shop. Scan again, or search by phone.", text=typed)
    return show("not_found", title=title, status=404, feedback="bad", reason=reason, q=typed)
