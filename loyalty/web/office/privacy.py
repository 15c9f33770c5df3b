"""What a customer may ask for: a copy of all that is known about them, and being erased."""

from io import BytesIO
from uuid import UUID

from flask import flash, redirect, send_file, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.codes import format_card_number
from loyalty.domain.values import Role
from loyalty.errors import NotFound
from loyalty.services import card_details, privacy, privacy_export, same_person
from loyalty.services.card_details import Holder
from loyalty.web.access import current_actor, now, requires
from loyalty.web.forms import request_key
from loyalty.web.limits import limit
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.sentences import gettext


@blueprint.post("/customers/<uuid:card_id>/export")
@requires(Role.MANAGER)
@limit("20 per minute")
def export_customer(card_id: UUID) -> ResponseReturnValue:
    """Hand out what is known about the customer."""
    made = privacy_export.export(
        actor=current_actor(), customer_id=_holder(card_id).customer_id, key=request_key({}), say=gettext, at=now()
    )
    file = send_file(BytesIO(made.content), "application/zip", as_attachment=True, download_name=made.file_name)
    file.headers["Cache-Control"] = "no-store"
    return file


@blueprint.get("/customers/<uuid:card_id>/erase")
@requires(Role.OWNER)
def confirm_erasure(card_id: UUID) -> ResponseReturnValue:
    """Ask whether to erase the customer, and say what that means."""
    holder = _holder(card_id)
    if holder.erased_at:
        raise NotFound
    text = gettext(
        "Name, addresses, birthday, notes and devices are deleted, the passes end, and what the card holds is lost."
        " Amounts stay in the statistics, without a person. Nobody can undo this."
    )
    if others := same_person.list_other_cards(vendor_id=current_actor().vendor_id, customer_id=holder.customer_id):
        numbers = ", ".join(format_card_number(number).replace(" ", "\N{NO-BREAK SPACE}") for number in others)
        text += " " + gettext(
            "Cards that were brought together are one person’s: what is known with %(numbers)s is erased, too.",
            numbers=numbers,
        )
    return confirm_page(
        title=gettext("Erase %(name)s", name=holder.name) if holder.name else gettext("Erase this customer"),
        text=text,
        button=gettext("Erase for good"),
        final=True,
        back=url_for("office.customer", card_id=card_id),
    )


@blueprint.post("/customers/<uuid:card_id>/erase")
@requires(Role.OWNER)
@limit("20 per minute")
def erase_customer(card_id: UUID) -> ResponseReturnValue:
    """Erase the customer."""
    privacy.erase(actor=current_actor(), customer_id=_holder(card_id).customer_id, key=request_key({}))
    flash(gettext("The customer is erased. The passes end as soon as the phones are reached."))
    return redirect(url_for("office.customer", card_id=card_id), 303)


def _holder(card_id: UUID) -> Holder:
    return card_details.get_holder(actor=current_actor(), card_id=card_id)
