"""Customers who may be the same person: looked at side by side, told apart, or brought together."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.codes import format_card_number
from loyalty.domain.values import Role
from loyalty.errors import N_, CardNotFound
from loyalty.services import card_details, card_views, duplicates, merging, programs
from loyalty.web.access import current_actor, now, requires
from loyalty.web.forms import request_key
from loyalty.web.ids import find_id
from loyalty.web.limits import limit
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.pages import Page, page_number
from loyalty.web.sentences import gettext

REASONS = {
    "phone": N_("The same phone number but for its prefix"),
    "email": N_("The same mailbox but for dots and additions"),
    "birthday": N_("The same name and birthday"),
    "name": N_("The same name, joined within a week"),
}


@blueprint.get("/customers/duplicates")
@requires(Role.MANAGER)
def list_duplicates() -> ResponseReturnValue:
    """List pairs that nobody has settled yet."""
    actor, number = current_actor(), page_number()
    pairs, more = duplicates.list_pairs(actor=actor, page=number)
    page = Page.of(number, number + 1 if more else number, "office.list_duplicates")
    reasons = {name: gettext(words) for name, words in REASONS.items()}
    program = programs.get(actor=actor)
    return render_template("office/duplicates.html", pairs=pairs, page=page, reasons=reasons, program=program)


@blueprint.post("/customers/duplicates")
@requires(Role.MANAGER)
@limit("60 per minute")
def tell_apart() -> ResponseReturnValue:
    """Remember that two customers are two people."""
    one_id, other_id = _id("one"), _id("other")
    key = request_key({"one": one_id, "other": other_id})
    duplicates.tell_apart(actor=current_actor(), one_id=one_id, other_id=other_id, key=key)
    flash(gettext("Remembered: they are two people."))
    return redirect(url_for("office.list_duplicates"), 303)


@blueprint.get("/customers/<uuid:card_id>/merge")
@requires(Role.MANAGER)
def confirm_merge(card_id: UUID) -> ResponseReturnValue:
    """Ask whether one card is to get everything that the other holds."""
    actor = current_actor()
    kept = card_views.get_at_counter(actor=actor, card_id=card_id, at=now())
    if "from" not in request.args:
        return redirect(url_for("office.list_duplicates"), 303)
    other_id = _id("from")
    emptied = card_views.get_at_counter(actor=actor, card_id=other_id, at=now())
    holders = [card_details.get_holder(actor=actor, card_id=each) for each in (card_id, other_id)]
    return render_template("office/merge.html", kept=kept, emptied=emptied, holders=holders)


@blueprint.post("/customers/<uuid:card_id>/merge")
@requires(Role.MANAGER)
@limit("20 per minute")
def merge_cards(card_id: UUID) -> ResponseReturnValue:
    """Move everything to this card and close the other."""
    actor, other_id = current_actor(), _id("from")
    kept, emptied = (card_views.get_at_counter(actor=actor, card_id=each, at=now()) for each in (card_id, other_id))
    reason = gettext(
        "Brought together: %(emptied)s into %(kept)s",
        emptied=format_card_number(emptied.card_number),
        kept=format_card_number(kept.card_number),
    )
    key = request_key({"from": other_id})
    merging.merge(actor=actor, into_id=card_id, from_id=other_id, reason=reason, key=key)
    flash(gettext("The cards are brought together. This one holds everything now, and the other one is closed."))
    return redirect(url_for("office.customer", card_id=card_id), 303)


def _id(name: str) -> UUID:
    """Read the id of somebody from the form or the address; what is none is nobody's."""
    found = find_id(request.values.get(name))
    if found is None:
        raise CardNotFound
    return found
