"""Tablets: pairing one by a code, and revoking it."""

from uuid import UUID

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice

from loyalty.domain import settings
from loyalty.domain.values import Role
from loyalty.errors import NotFound, ValidationError
from loyalty.services import stores, terminals
from loyalty.services.pairing import PairingCode
from loyalty.web.access import current_actor, requires
from loyalty.web.forms import request_key
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext


class PairForm(OfficeForm):
    """A new tablet: where it stands, and what it is called."""

    checks = settings.TERMINAL

    label = StringField(_l("Name of the tablet"))
    store = SelectField(_l("Store"), choices=[], validate_choice=False)


@blueprint.get("/tablets")
@requires(Role.MANAGER)
def list_terminals() -> ResponseReturnValue:
    """List the tablets, with a form for the next one."""
    return _list(_form(blank=True))


@blueprint.post("/tablets")
@requires(Role.MANAGER)
def pair_terminal() -> ResponseReturnValue:
    """Make a code for a tablet and show it, this once."""
    form = _form()
    if form.validate():
        try:
            made = terminals.create_code(
                actor=current_actor(),
                store_id=UUID(form.store.data),
                label=form.label.data,
                key=request_key(form.values),
            )
            return _list(_form(blank=True), made)
        except ValidationError as refusal:
            form.take(refusal)
        except NotFound:
            form.store.errors = [gettext("Choose one of the list.")]
    return _list(form), 422


@blueprint.get("/tablets/<uuid:terminal_id>/revoke")
@requires(Role.MANAGER)
def confirm_revocation(terminal_id: UUID) -> ResponseReturnValue:
    """Ask whether to sign a tablet out."""
    tablet = next((row for row in terminals.list_all(actor=current_actor()) if row.terminal_id == terminal_id), None)
    if tablet is None:
        raise NotFound
    return confirm_page(
        title=gettext("Sign out “%(label)s”", label=tablet.label),
        text=gettext("The tablet stops at its next tap. To use it again, pair it with a new code."),
        button=gettext("Sign out the tablet"),
        back=url_for("office.list_terminals"),
    )


@blueprint.post("/tablets/<uuid:terminal_id>/revoke")
@requires(Role.MANAGER)
def revoke_terminal(terminal_id: UUID) -> ResponseReturnValue:
    """Sign a tablet out for good."""
    terminals.revoke(actor=current_actor(), terminal_id=terminal_id, key=request_key({}))
    flash(gettext("The tablet is signed out."))
    return redirect(url_for("office.list_terminals"), 303)


def _form(*, blank: bool = False) -> PairForm:
    form = PairForm(formdata=None) if blank else PairForm()
    form.store.choices = [
        SelectChoice(str(row.store_id), row.name) for row in stores.list_all(actor=current_actor()) if row.active
    ]
    return form


def _list(form: PairForm, made: PairingCode | None = None) -> str:
    address = f"{current_app.config['CONFIG'].public_url}/terminal"
    return render_template(
        "office/tablets.html",
        form=form,
        terminals=terminals.list_all(actor=current_actor()),
        made=made,
        address=address,
        link=f"{address}?code={made.code}" if made and made.code else None,
    )
