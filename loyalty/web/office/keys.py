"""Keys for the shop's own software: each is shown once, when it is made."""

from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from loyalty.domain import settings
from loyalty.domain.values import Role, Scope
from loyalty.errors import NotFound, ValidationError
from loyalty.services import api_keys, stores
from loyalty.services.api_keys import KeyRow, NewKey
from loyalty.web.access import current_actor, now, requires
from loyalty.web.fields import WholeNumberField
from loyalty.web.forms import request_key
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext


class KeyForm(OfficeForm):
    """A new key: what it is for, and how far it reaches."""

    checks = settings.API_KEY

    name = StringField(_l("Name"))
    scope = RadioField(
        _l("What it may do"),
        choices=[
            SelectChoice("read", _l("Read")),
            SelectChoice("till", _l("Work as a till")),
            SelectChoice("manage", _l("Manage")),
        ],
        default="till",
        validate_choice=False,
    )
    store = SelectField(_l("Works at"), choices=[], default="", validate_choice=False)
    requests_per_minute = WholeNumberField(_l("Requests per minute"), optional=True)
    days = SelectField(
        _l("Ends"),
        choices=[
            SelectChoice("", _l("Never")),
            SelectChoice("30", _l("In 30 days")),
            SelectChoice("90", _l("In 90 days")),
            SelectChoice("365", _l("In a year")),
        ],
        default="",
        validate_choice=False,
    )


class RotationForm(OfficeForm):
    """How long the old key works on."""

    checks = settings.API_KEY_ROTATION

    overlap = RadioField(
        _l("The old key works on for"),
        choices=[
            SelectChoice("week", _l("A week")),
            SelectChoice("day", _l("A day")),
            SelectChoice("hour", _l("An hour")),
            SelectChoice("now", _l("No longer")),
        ],
        default="day",
        validate_choice=False,
    )


@blueprint.get("/keys")
@requires(Role.OWNER)
def list_keys() -> ResponseReturnValue:
    """List the keys, with a form for the next one."""
    return _list(_form(blank=True))


@blueprint.post("/keys")
@requires(Role.OWNER)
def create_key() -> ResponseReturnValue:
    """Make a key and show it, this once: it is in no other answer, not even in one to the same tap."""
    form = _form()
    if form.validate():
        often = form.requests_per_minute.data
        try:
            made = api_keys.create(
                actor=current_actor(),
                name=form.name.data,
                scope=Scope(form.scope.data),
                store_ids=[UUID(form.store.data)] if form.store.data else [],
                requests_per_minute=often if isinstance(often, int) else None,
                expires_at=now() + timedelta(days=int(form.days.data)) if form.days.data else None,
                key=request_key(form.values),
            )
            return _list(_form(blank=True), made)
        except ValidationError as refusal:
            form.take(refusal)
    return _list(form), 422


@blueprint.get("/keys/<uuid:api_key_id>/rotate")
@requires(Role.OWNER)
def show_rotation(api_key_id: UUID) -> ResponseReturnValue:
    """Ask how long the old key works on beside the new one."""
    return render_template("office/key.html", form=RotationForm(formdata=None), api_key=_get(api_key_id))


@blueprint.post("/keys/<uuid:api_key_id>/rotate")
@requires(Role.OWNER)
def rotate_key(api_key_id: UUID) -> ResponseReturnValue:
    """Replace a key and show the new one, this once."""
    form = RotationForm()
    if not form.validate():
        return render_template("office/key.html", form=form, api_key=_get(api_key_id)), 422
    made = api_keys.rotate(
        actor=current_actor(), api_key_id=api_key_id, overlap=form.overlap.data, key=request_key(form.values)
    )
    return _list(_form(blank=True), made)


@blueprint.get("/keys/<uuid:api_key_id>/revoke")
@requires(Role.OWNER)
def confirm_key_revocation(api_key_id: UUID) -> ResponseReturnValue:
    """Ask whether to end a key."""
    return confirm_page(
        title=gettext("Revoke “%(name)s”", name=_get(api_key_id).name),
        text=gettext("Whatever uses this key stops at its next request. What was done with it stays in the history."),
        button=gettext("Revoke the key"),
        final=True,
        back=url_for("office.list_keys"),
    )


@blueprint.post("/keys/<uuid:api_key_id>/revoke")
@requires(Role.OWNER)
def revoke_key(api_key_id: UUID) -> ResponseReturnValue:
    """End a key for good."""
    api_keys.revoke(actor=current_actor(), api_key_id=api_key_id, key=request_key({}))
    flash(gettext("The key is revoked."))
    return redirect(url_for("office.list_keys"), 303)


def _get(api_key_id: UUID) -> KeyRow:
    for row in api_keys.list_all(actor=current_actor()):
        if row.api_key_id == api_key_id:
            return row
    raise NotFound


def _form(*, blank: bool = False) -> KeyForm:
    form = KeyForm(formdata=None) if blank else KeyForm()
    places = [SelectChoice(str(row.store_id), row.name) for row in stores.list_all(actor=current_actor()) if row.active]
    form.store.choices = [SelectChoice("", gettext("All stores")), *places]
    return form


def _list(form: KeyForm, made: NewKey | None = None) -> str:
    return render_template("office/keys.html", form=form, keys=api_keys.list_all(actor=current_actor()), made=made)
