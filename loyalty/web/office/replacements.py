"""Replacing a card that was lost or copied."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.codes import format_card_number
from loyalty.domain.values import CardRef, Role
from loyalty.errors import CardInactive, ValidationError
from loyalty.services import card_details, replacements
from loyalty.web.access import current_actor, requires
from loyalty.web.errors import sentence_of
from loyalty.web.forms import request_key
from loyalty.web.limits import limit
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.customers import ReasonForm
from loyalty.web.sentences import gettext


@blueprint.get("/customers/<uuid:card_id>/replace")
@requires(Role.MANAGER)
def confirm_replacement(card_id: UUID) -> ResponseReturnValue:
    """Ask why a card is to be replaced, and say what that means."""
    return _ask_why(card_id, ReasonForm(formdata=None))


@blueprint.post("/customers/<uuid:card_id>/replace")
@requires(Role.MANAGER)
@limit("20 per minute")
def replace_card(card_id: UUID) -> ResponseReturnValue:
    """Give the card a new number and code, and end the old ones."""
    form = ReasonForm()
    try:
        form.validate()
        reason = form.reason.data or ""
        done = replacements.replace(
            actor=current_actor(), card=CardRef(card_id=card_id), reason=reason, key=request_key({"reason": reason})
        )
    except ValidationError as refusal:
        form.take(refusal)
        return _ask_why(card_id, form), 422
    except CardInactive as refusal:
        form.form_errors.append(sentence_of(refusal))
        return _ask_why(card_id, form), refusal.status
    number = format_card_number(done.card_number)
    if done.mailed:
        flash(gettext("The card is replaced. Its number is %(number)s now, and the new link is mailed.", number=number))
    else:
        flash(gettext("The card is replaced. Its number is %(number)s now: give it to the customer.", number=number))
    return redirect(url_for("office.customer", card_id=card_id), 303)


def _ask_why(card_id: UUID, form: ReasonForm) -> str:
    holder = card_details.get_holder(actor=current_actor(), card_id=card_id)
    ending = gettext(
        "The card gets a new number, code and link, and keeps everything it has collected."
        " Its old code, link and passes stop working at once."
    )
    if holder.email:
        how = gettext("The new link is mailed to the customer.")
    else:
        how = gettext("The customer has given no e-mail address: hand over the new number at the counter.")
    return render_template(
        "office/reason.html",
        form=form,
        title=gettext("Replace the card of %(name)s", name=holder.name)
        if holder.name
        else gettext("Replace this card"),
        text=f"{ending} {how}",
        button=gettext("Replace the card"),
        back=url_for("office.customer", card_id=card_id),
        entry=None,
    )
