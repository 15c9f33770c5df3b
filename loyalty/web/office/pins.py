"""Staff and their PINs: each is shown once, when it is made."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from loyalty.domain import settings
from loyalty.domain.values import Role
from loyalty.errors import NotFound, ValidationError
from loyalty.services import pins, stores
from loyalty.services.pins import NewPin
from loyalty.web.access import current_actor, requires
from loyalty.web.forms import request_key
from loyalty.web.limits import limit
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext


class PinForm(OfficeForm):
    """A new member of staff."""

    checks = settings.STAFF_PIN

    name = StringField(_l("Name"))
    role = RadioField(
        _l("Role"),
        choices=[SelectChoice("staff", _l("Cashier")), SelectChoice("manager", _l("Manager"))],
        default="staff",
        validate_choice=False,
    )
    store = SelectField(_l("Works at"), choices=[], default="", validate_choice=False)


@blueprint.get("/staff")
@requires(Role.MANAGER)
def list_pins() -> ResponseReturnValue:
    """List the staff, with a form for the next one."""
    return _list(_form(blank=True))


@blueprint.post("/staff")
@requires(Role.MANAGER)
def create_pin() -> ResponseReturnValue:
    """Make a PIN and show it, this once: it is in no other answer, not even in one to the same tap."""
    form = _form()
    if form.validate():
        try:
            made = pins.create(
                actor=current_actor(),
                name=form.name.data,
                role=form.role.data,
                store_id=_store_id(form),
                key=request_key(form.values),
            )
            return _list(_form(blank=True), made)
        except ValidationError as refusal:
            form.take(refusal)
        except NotFound:
            form.store.errors = [gettext("Choose one of the list.")]
    return _list(form), 422


@blueprint.post("/staff/<uuid:staff_pin_id>/regenerate")
@requires(Role.MANAGER)
def regenerate_pin(staff_pin_id: UUID) -> ResponseReturnValue:
    """Give somebody another PIN and show it, this once."""
    made = pins.regenerate(actor=current_actor(), staff_pin_id=staff_pin_id, key=request_key({}))
    return _list(_form(blank=True), made)


@blueprint.post("/staff/<uuid:staff_pin_id>/unlock")
@requires(Role.MANAGER)
@limit("10 per minute")
def unlock_pin(staff_pin_id: UUID) -> ResponseReturnValue:
    """Let somebody try again at once."""
    done = pins.unlock(actor=current_actor(), staff_pin_id=staff_pin_id, key=request_key({}))
    flash(gettext("%(name)s can enter the PIN again.", name=done.name))
    return redirect(url_for("office.list_pins"), 303)


@blueprint.get("/staff/<uuid:staff_pin_id>/deactivate")
@requires(Role.MANAGER)
def confirm_pin_deactivation(staff_pin_id: UUID) -> ResponseReturnValue:
    """Ask whether to end somebody's PIN."""
    person = next((row for row in pins.list_all(actor=current_actor()) if row.staff_pin_id == staff_pin_id), None)
    if person is None:
        raise NotFound
    return confirm_page(
        title=gettext("End the PIN of %(name)s", name=person.name),
        text=gettext("It opens no tablet from now on. What was done with it stays in the history."),
        button=gettext("End the PIN"),
        back=url_for("office.list_pins"),
    )


@blueprint.post("/staff/<uuid:staff_pin_id>/deactivate")
@requires(Role.MANAGER)
def deactivate_pin(staff_pin_id: UUID) -> ResponseReturnValue:
    """End somebody's PIN and the sessions it opened."""
    done = pins.deactivate(actor=current_actor(), staff_pin_id=staff_pin_id, key=request_key({}))
    flash(gettext("The PIN of %(name)s is ended.", name=done.name))
    return redirect(url_for("office.list_pins"), 303)


def _form(*, blank: bool = False) -> PinForm:
    form = PinForm(formdata=None) if blank else PinForm()
    places = [SelectChoice(str(row.store_id), row.name) for row in stores.list_all(actor=current_actor()) if row.active]
    form.store.choices = [SelectChoice("", gettext("All stores")), *places]
    return form


def _store_id(form: PinForm) -> UUID | None:
    return UUID(form.store.data) if form.store.data else None


def _list(form: PinForm, made: NewPin | None = None) -> str:
    return render_template("office/staff.html", form=form, staff=pins.list_all(actor=current_actor()), made=made)
