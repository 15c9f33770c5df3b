"""The stores of the shop."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from loyalty.domain import settings
from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import stores
from loyalty.web.access import current_actor, requires
from loyalty.web.forms import request_key
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.office.fields import DecimalField
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext


class StoreForm(OfficeForm):
    """A store's name and place."""

    checks: ClassVar = {name: check for name, check in settings.STORE.items() if name != "code"}

    name = StringField(_l("Name of the store"))
    address = StringField(_l("Address"))
    latitude = DecimalField(_l("Latitude"), optional=True)
    longitude = DecimalField(_l("Longitude"), optional=True)


@blueprint.get("/stores")
@requires(Role.MANAGER)
def list_stores() -> ResponseReturnValue:
    """List the stores, with a form for the next one."""
    return _list(StoreForm(formdata=None))


@blueprint.post("/stores")
@requires(Role.MANAGER)
def create_store() -> ResponseReturnValue:
    """Open a store."""
    form = StoreForm()
    if form.validate():
        try:
            made = stores.create(actor=current_actor(), details=form.values, key=request_key(form.values))
            flash(gettext("“%(name)s” is open.", name=made.name))
            return redirect(url_for("office.list_stores"), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _list(form), 422


@blueprint.get("/stores/<uuid:store_id>")
@requires(Role.MANAGER)
def store(store_id: UUID) -> ResponseReturnValue:
    """Show one store for changing."""
    row = stores.get(actor=current_actor(), store_id=store_id)
    return render_template("office/store.html", form=StoreForm(obj=row), store=row)


@blueprint.post("/stores/<uuid:store_id>")
@requires(Role.MANAGER)
def change_store(store_id: UUID) -> ResponseReturnValue:
    """Save one store."""
    row = stores.get(actor=current_actor(), store_id=store_id)
    form = StoreForm()
    if form.validate():
        try:
            key = request_key(form.changes)
            stores.change(actor=current_actor(), store_id=store_id, details=form.changes, key=key)
            flash(gettext("The store is saved."))
            return redirect(url_for("office.list_stores"), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return render_template("office/store.html", form=form, store=row), 422


@blueprint.get("/stores/<uuid:store_id>/deactivate")
@requires(Role.MANAGER)
def confirm_store_deactivation(store_id: UUID) -> ResponseReturnValue:
    """Ask whether to close a store."""
    return _confirm(store_id)


@blueprint.post("/stores/<uuid:store_id>/deactivate")
@requires(Role.MANAGER)
def deactivate_store(store_id: UUID) -> ResponseReturnValue:
    """Close a store that has no tablet any more."""
    try:
        done = stores.deactivate(actor=current_actor(), store_id=store_id, key=request_key({}))
    except ValidationError as refusal:
        return _confirm(store_id, [gettext(sentence) for sentence in refusal.errors.values()]), 422
    flash(gettext("“%(name)s” is closed.", name=done.name))
    return redirect(url_for("office.list_stores"), 303)


@blueprint.post("/stores/<uuid:store_id>/activate")
@requires(Role.MANAGER)
def reactivate_store(store_id: UUID) -> ResponseReturnValue:
    """Open a closed store again."""
    done = stores.reactivate(actor=current_actor(), store_id=store_id, key=request_key({}))
    flash(gettext("“%(name)s” is open.", name=done.name))
    return redirect(url_for("office.list_stores"), 303)


def _list(form: StoreForm) -> str:
    return render_template("office/stores.html", form=form, stores=stores.list_all(actor=current_actor()))


def _confirm(store_id: UUID, problems: Sequence[str] = ()) -> str:
    row = stores.get(actor=current_actor(), store_id=store_id)
    return confirm_page(
        title=gettext("Close “%(name)s”", name=row.name),
        text=gettext("No tablet can be paired with it any more. Its history stays, and you can open it again."),
        button=gettext("Close the store"),
        back=url_for("office.list_stores"),
        problems=problems,
    )
