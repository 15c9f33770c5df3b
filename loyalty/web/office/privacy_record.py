"""Privacy: how long customers are kept, the text for them, and the record of processing that the law asks for."""

from typing import ClassVar

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.widgets import TextArea

from loyalty.domain import settings
from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import processing, vendors
from loyalty.web.access import current_actor, now, requires
from loyalty.web.fields import WholeNumberField
from loyalty.web.forms import request_key
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext

_NAMES = ("retention_months", "privacy_contact", "privacy_note")


class PrivacyForm(OfficeForm):
    """What a shop decides about its customers' data, and adds to the text for them."""

    checks: ClassVar = {name: settings.VENDOR[name] for name in _NAMES}

    retention_months = WholeNumberField(_l("Forget customers who do not come any more after"))
    privacy_contact = StringField(_l("Who answers for the data"), widget=TextArea())
    privacy_note = StringField(_l("What you add to the text"), widget=TextArea())


@blueprint.get("/privacy")
@requires(Role.MANAGER)
def privacy_record() -> ResponseReturnValue:
    """Show how long customers are kept, the text for them, and the record."""
    return _page(PrivacyForm(obj=vendors.get_settings(actor=current_actor())))


@blueprint.post("/privacy")
@requires(Role.MANAGER)
def change_privacy() -> ResponseReturnValue:
    """Save what the shop decides about its customers' data."""
    form = PrivacyForm()
    if form.validate():
        try:
            vendors.change_settings(actor=current_actor(), changes=form.changes, key=request_key(form.changes))
            flash(gettext("The settings are saved."))
            return redirect(url_for("office.privacy_record"), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _page(form), 422


@blueprint.get("/privacy/text.html")
@requires(Role.MANAGER)
def download_privacy_text() -> ResponseReturnValue:
    """Hand out the text for customers, to be adapted and put on a page of one's own."""
    return _file("office/privacy_text_file.html", "privacy")


@blueprint.get("/privacy/record.html")
@requires(Role.MANAGER)
def download_processing_record() -> ResponseReturnValue:
    """Hand out the record of processing, to be filed."""
    return _file("office/processing_record_file.html", "processing-record")


def _page(form: PrivacyForm) -> str:
    present = vendors.get_settings(actor=current_actor())
    return render_template("office/privacy.html", form=form, vendor=present, record=processing.record(say=gettext))


def _file(template: str, name: str) -> Response:
    present = vendors.get_settings(actor=current_actor())
    text = render_template(template, vendor=present, record=processing.record(say=gettext), today=now())
    response = make_response(text)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{now():%Y-%m-%d}.html"'
    return response
