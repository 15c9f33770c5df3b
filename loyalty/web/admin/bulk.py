"""Switching many cards of a shop off: chosen, looked at, confirmed by their number, watched, and taken back."""

from typing import cast
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import bulk_choices, bulk_deactivations, platform_vendors
from loyalty.services.bulk_choices import CardChoice, Preview
from loyalty.web.access import current_admin, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.audit_words import detail_words
from loyalty.web.fields import DayField, WholeNumberField
from loyalty.web.forms import request_key
from loyalty.web.htmx import render
from loyalty.web.ids import find_id
from loyalty.web.sentences import gettext
from loyalty.web.settings_forms import SettingsForm


class ChoiceForm(SettingsForm):
    """Which cards."""

    store = SelectField(_l("Made at the store"), choices=[], default="", validate_choice=False)
    joined_since = DayField(_l("Joined from"), optional=True)
    joined_until = DayField(_l("Joined until"), optional=True)
    silent_since = DayField(_l("Not used since"), optional=True)
    numbers = TextAreaField(_l("Card numbers"))

    @property
    def choice(self) -> CardChoice:
        """The choice as the service takes it; a store that is none finds no card."""
        return CardChoice(
            store_id=find_id(self.store.data) or UUID(int=0) if self.store.data else None,
            joined_since=self.joined_since.data,
            joined_until=self.joined_until.data,
            silent_since=self.silent_since.data,
            numbers=str(self.numbers.data or ""),
        )

    @property
    def asked(self) -> dict[str, object]:
        """What was typed, for the key of the request."""
        names = ("store", "joined_since", "joined_until", "silent_since", "numbers")
        return {name: self[name].data for name in names}


class ConfirmForm(ChoiceForm):
    """The same choice once more, how many cards it means, and why."""

    typed_count = WholeNumberField(_l("Number of cards"))
    reason = StringField(_l("Reason"))


@blueprint.get("/vendors/<uuid:vendor_id>/cards/off")
@requires(Role.ADMIN)
def choose_cards(vendor_id: UUID) -> ResponseReturnValue:
    """Ask which cards."""
    return _choice_page(vendor_id, ChoiceForm(formdata=None))


@blueprint.post("/vendors/<uuid:vendor_id>/cards/off/preview")
@requires(Role.ADMIN)
def preview_cards(vendor_id: UUID) -> ResponseReturnValue:
    """Show how many cards are meant and some of them; nothing is changed."""
    form = ChoiceForm()
    if form.validate():
        try:
            seen = bulk_choices.preview(admin=current_admin(), vendor_id=vendor_id, choice=form.choice)
            if seen.cards:
                return _confirm_page(vendor_id, ConfirmForm(formdata=None, data=form.data), seen)
            form.form_errors.append(gettext("No active card is like that."))
        except ValidationError as refusal:
            form.take(refusal)
    return _choice_page(vendor_id, form), 422


@blueprint.post("/vendors/<uuid:vendor_id>/cards/off")
@requires(Role.ADMIN)
def switch_cards_off(vendor_id: UUID) -> ResponseReturnValue:
    """Begin, once the number of cards was typed."""
    admin, form = current_admin(), ConfirmForm()
    if form.validate():
        reason, count = str(form.reason.data or ""), cast(int, form.typed_count.data)
        asked = {**form.asked, "reason": reason, "typed_count": count}
        try:
            begun = bulk_deactivations.start(
                admin=admin,
                vendor_id=vendor_id,
                choice=form.choice,
                expected=count,
                reason=reason,
                key=request_key(asked, admin.caller),
            )
            return redirect(url_for("admin.bulk", bulk_id=begun.bulk_id), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _again(vendor_id, form), 422


@blueprint.get("/bulk/<uuid:bulk_id>")
@requires(Role.ADMIN)
def bulk(bulk_id: UUID) -> ResponseReturnValue:
    """Show how far a mass of cards is; to the page itself only what changes."""
    seen = bulk_deactivations.get(admin=current_admin(), bulk_id=bulk_id)
    chosen = seen.choice | ({"store_id": seen.store_name} if seen.store_name else {})
    return render("admin/bulk.html", "admin/_bulk.html", bulk=seen, chosen=detail_words(chosen))


@blueprint.post("/bulk/<uuid:bulk_id>/undo")
@requires(Role.ADMIN)
def undo_bulk(bulk_id: UUID) -> ResponseReturnValue:
    """Switch the cards of a mass on again."""
    admin = current_admin()
    bulk_deactivations.undo(admin=admin, bulk_id=bulk_id, key=request_key({}, admin.caller))
    flash(gettext("The cards are switched on again, one after the other."))
    return redirect(url_for("admin.bulk", bulk_id=bulk_id), 303)


def _again(vendor_id: UUID, form: ConfirmForm) -> str:
    """Show the confirmation once more with what is true now; where the choice itself is wrong, the choice."""
    if any(form[name].errors for name in form.asked):
        return _choice_page(vendor_id, form)
    try:
        seen = bulk_choices.preview(admin=current_admin(), vendor_id=vendor_id, choice=form.choice)
    except ValidationError:
        return _choice_page(vendor_id, form)
    return _confirm_page(vendor_id, form, seen) if seen.cards else _choice_page(vendor_id, form)


def _confirm_page(vendor_id: UUID, form: ConfirmForm, seen: Preview) -> str:
    vendor = platform_vendors.get(admin=current_admin(), vendor_id=vendor_id)
    return render_template("admin/confirm_cards.html", form=form, vendor=vendor, seen=seen)


def _choice_page(vendor_id: UUID, form: ChoiceForm) -> str:
    admin = current_admin()
    vendor = platform_vendors.get(admin=admin, vendor_id=vendor_id)
    stores = bulk_choices.list_stores(admin=admin, vendor_id=vendor_id)
    form.store.choices = [
        SelectChoice("", gettext("All stores")),
        *(SelectChoice(str(store.store_id), store.name) for store in stores),
    ]
    masses = bulk_deactivations.list_all(admin=admin, vendor_id=vendor_id)
    return render_template("admin/cards_off.html", form=form, vendor=vendor, masses=masses)
