"""Expiring points: what another rule would mean, and points given back that have expired."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.values import CardRef, Role
from loyalty.errors import CardInactive, ProgramInactive, ValidationError
from loyalty.services import expiry_preview, expiry_restores
from loyalty.web.access import current_actor, now, requires
from loyalty.web.errors import sentence_of
from loyalty.web.forms import request_key
from loyalty.web.htmx import render
from loyalty.web.limits import limit
from loyalty.web.locale import number
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.customers import ReasonForm
from loyalty.web.sentences import gettext


@blueprint.get("/program/expiry")
@requires(Role.MANAGER)
def preview_expiry() -> ResponseReturnValue:
    """Say how many customers and points would expire in which month, and save nothing."""
    typed = request.args.get("points_expiration_days", "").strip()
    days = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else None
    outlook = expiry_preview.preview(actor=current_actor(), days=days, at=now())
    return render("office/expiry.html", "office/_expiry.html", outlook=outlook, typed=typed)


@blueprint.post("/customers/<uuid:card_id>/expiries/<uuid:expiry_id>/restore")
@requires(Role.MANAGER)
@limit("20 per minute")
def restore_points(card_id: UUID, expiry_id: UUID) -> ResponseReturnValue:
    """Give back what expired; refused, the reason that was typed stays."""
    form = ReasonForm()
    form.validate()
    try:
        done = expiry_restores.restore(
            actor=current_actor(),
            card=CardRef(card_id=card_id),
            transaction_id=expiry_id,
            reason=form.reason.data or "",
            key=request_key({"reason": form.reason.data}),
        )
    except ValidationError as refusal:
        form.take(refusal)
        return _ask_why(card_id, form), 422
    except (CardInactive, ProgramInactive) as refusal:
        form.form_errors.append(sentence_of(refusal))
        return _ask_why(card_id, form), 422
    flash(gettext("Points that are back on the card: %(points)s.", points=number(done.points_restored)))
    return redirect(url_for("office.customer", card_id=card_id), 303)


def _ask_why(card_id: UUID, form: ReasonForm) -> str:
    return render_template(
        "office/reason.html",
        form=form,
        title=gettext("Give expired points back"),
        text=gettext("The customer keeps them as long as after a visit today."),
        button=gettext("Give the points back"),
        back=url_for("office.customer", card_id=card_id),
        entry=None,
    )
