"""The page that asks why somebody from outside enters a shop's office, also where their hour there is over."""

from uuid import UUID

from flask import render_template
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from loyalty.services import platform_vendors
from loyalty.web.access import current_admin
from loyalty.web.settings_forms import SettingsForm


class ActingForm(SettingsForm):
    """Why somebody from outside enters a shop's office."""

    reason = StringField(_l("Reason"))


def acting_page(vendor_id: UUID, *, answered: ActingForm | None = None, form: str = "") -> str:
    """Ask why, and take a form along that was sent too late."""
    vendor = platform_vendors.get(admin=current_admin(), vendor_id=vendor_id)
    return render_template("admin/act.html", form=answered or ActingForm(formdata=None), vendor=vendor, kept=form)
