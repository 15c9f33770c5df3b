"""Correcting the addresses of a customer."""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from loyalty.domain.settings import Check
from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import card_details, corrections
from loyalty.services.corrections import CorrectionReceipt
from loyalty.web.access import current_actor, now, requires
from loyalty.web.forms import request_key
from loyalty.web.limits import limit
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import OfficeForm, as_typed
from loyalty.web.sentences import gettext


class AddressForm(OfficeForm):
    """How a customer is reached."""

    checks: ClassVar[Mapping[str, Check]] = {"email": as_typed, "phone": as_typed}

    email = StringField(_l("E-mail"))
    phone = StringField(_l("Phone"))


@blueprint.get("/customers/<uuid:card_id>/address")
@requires(Role.MANAGER)
def ask_for_address(card_id: UUID) -> ResponseReturnValue:
    """Ask for the right addresses."""
    holder = card_details.get_holder(actor=current_actor(), card_id=card_id)
    return _ask(card_id, AddressForm(formdata=None, email=holder.email, phone=holder.phone))


@blueprint.post("/customers/<uuid:card_id>/address")
@requires(Role.MANAGER)
@limit("20 per minute")
def correct_address(card_id: UUID) -> ResponseReturnValue:
    """Change the addresses, and tell the old and the new one."""
    form = AddressForm()
    try:
        form.validate()
        typed = {name: str(text or "") for name, text in form.changes.items()}
        done = corrections.correct(
            actor=current_actor(),
            card_id=card_id,
            email=typed.get("email"),
            phone=typed.get("phone"),
            key=request_key(typed),
            at=now(),
        )
    except ValidationError as refusal:
        form.take(refusal)
        return _ask(card_id, form), 422
    flash(_words(done))
    return redirect(url_for("office.customer", card_id=card_id), 303)


def _words(done: CorrectionReceipt) -> str:
    if not done.changed:
        return gettext("Nothing was changed: these are the addresses that the shop had already.")
    if done.old_told and done.new_told:
        return gettext("The address is corrected. The card is mailed to the new one, and the old one gets a notice.")
    if done.new_told:
        return gettext("The address is corrected, and the card is mailed to it.")
    return gettext("The address is corrected.")


def _ask(card_id: UUID, form: AddressForm) -> str:
    holder = card_details.get_holder(actor=current_actor(), card_id=card_id)
    return render_template("office/address.html", form=form, holder=holder, card_id=card_id)
