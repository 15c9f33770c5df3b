"""The shop's own settings: how customers join, and in which language, time and length of PIN it works."""

from typing import ClassVar

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from loyalty.domain import settings
from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import vendors
from loyalty.web import choices
from loyalty.web.access import current_actor, requires
from loyalty.web.forms import request_key
from loyalty.web.locale import LANGUAGES
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext


class VendorForm(OfficeForm):
    """What a shop decides for itself."""

    checks: ClassVar = {name: check for name, check in settings.VENDOR.items() if name != "code"}

    name = StringField(_l("Name of the shop"))
    locale = SelectField(
        _l("Language"), choices=[SelectChoice(*language) for language in LANGUAGES.items()], validate_choice=False
    )
    country = SelectField(_l("Country"), choices=[], validate_choice=False)
    timezone = SelectField(_l("Time zone"), choices=[], validate_choice=False)
    contact_field = RadioField(
        _l("What customers join with"),
        choices=[SelectChoice("email", _l("E-mail address")), SelectChoice("phone", _l("Phone number"))],
        validate_choice=False,
    )
    confirm_address = BooleanField(_l("Confirm every address by mail first"))
    ask_name = BooleanField(_l("Ask for the name"))
    ask_birthday = BooleanField(_l("Ask for the birthday"))
    ask_marketing = BooleanField(_l("Ask whether news may be sent"))
    pin_length = RadioField(
        _l("Digits of a staff PIN"),
        choices=[SelectChoice(4, _l("4 digits")), SelectChoice(6, _l("6 digits"))],
        coerce=int,
        validate_choice=False,
    )


@blueprint.get("/settings")
@requires(Role.MANAGER)
def vendor() -> ResponseReturnValue:
    """Show the shop's settings."""
    present = vendors.get_settings(actor=current_actor())
    return _page(VendorForm(obj=present), present)


@blueprint.post("/settings")
@requires(Role.MANAGER)
def change_vendor() -> ResponseReturnValue:
    """Save the shop's settings, or none and say why."""
    form = VendorForm()
    if form.validate():
        try:
            vendors.change_settings(actor=current_actor(), changes=form.changes, key=request_key(form.changes))
            flash(gettext("The settings are saved."))
            return redirect(url_for("office.vendor"), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _page(form, vendors.get_settings(actor=current_actor())), 422


def _page(form: VendorForm, present: vendors.VendorSettings) -> str:
    # The shop's own zone is always among them: a list without it would change it in silence.
    form.timezone.choices = choices.zones(present.timezone)
    form.country.choices = choices.countries()
    return render_template("office/settings.html", form=form, vendor=present)
