"""The last two steps of the wizard: where the shop is and who works there, then the launch itself."""

from flask import current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import links, onboarding_steps, pins, setup, terminals
from loyalty.services.onboarding_steps import PlaceReceipt
from loyalty.services.pairing import PairingCode
from loyalty.web.access import current_actor, requires
from loyalty.web.forms import request_key
from loyalty.web.limits import limit
from loyalty.web.office import wizard
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.wizard_forms import LabelForm, PlaceForm
from loyalty.web.sentences import gettext


@blueprint.get("/wizard/place")
@requires(Role.MANAGER)
def wizard_place() -> ResponseReturnValue:
    """Ask for the first store, and who gets the first PIN."""
    store = onboarding_steps.find_first_store(actor=current_actor())
    return wizard.is_over() or _place(_place_form(obj=store, formdata=None))


@blueprint.post("/wizard/place")
@requires(Role.MANAGER)
def save_place() -> ResponseReturnValue:
    """Save the store, and show the PIN this once, where one was made."""
    form = _place_form()
    if form.validate():
        try:
            key = request_key(form.values)
            done = onboarding_steps.save_place(actor=current_actor(), store=form.store, **form.person, key=key)
            return _place(_place_form(formdata=None, **form.store), done) if done.staff_name else wizard.go_on("place")
        except ValidationError as refusal:
            names = {"role": "staff_role"}
            form.take(ValidationError({names.get(name, name): text for name, text in refusal.errors.items()}))
    return wizard.is_over() or _place(form, status=422)


@blueprint.post("/wizard/preview")
@requires(Role.MANAGER)
@limit("20 per minute", exempt_when=lambda: not request.files)
def preview_wizard() -> ResponseReturnValue:
    """Draw everything as it would be, and save nothing."""
    step = request.form.get("step", "")
    if step in ("kind", "rule", "look"):
        return wizard.redraw(step)
    if step == "place":
        form = _place_form()
        form.validate()
        return _place(form)
    return _launch(_label_form())


@blueprint.get("/wizard/launch")
@requires(Role.MANAGER)
def wizard_launch() -> ResponseReturnValue:
    """Show what is ready and what is still missing."""
    return _launch(_label_form())


@blueprint.post("/wizard/launch")
@requires(Role.MANAGER)
def launch() -> ResponseReturnValue:
    """Open the program."""
    onboarding_steps.launch(actor=current_actor(), key=request_key({}))
    flash(gettext("The program is open. Customers can join from now on."))
    return redirect(url_for("office.wizard_launch"), 303)


@blueprint.post("/wizard/tablet")
@requires(Role.MANAGER)
def pair_first_tablet() -> ResponseReturnValue:
    """Make a code for a tablet of the first store and show it, this once."""
    form = LabelForm()
    store = onboarding_steps.find_first_store(actor=current_actor())
    if form.validate() and store:
        try:
            key = request_key(form.values)
            made = terminals.create_code(actor=current_actor(), store_id=store.store_id, label=form.label.data, key=key)
            return _launch(form, made)
        except ValidationError as refusal:
            form.take(refusal)
    elif not store:
        form.form_errors.append(gettext("Open a store first."))
    return _launch(form, status=422)


@blueprint.post("/wizard/poster")
@requires(Role.MANAGER)
def place_poster() -> ResponseReturnValue:
    """Note that the poster stands on the counter."""
    onboarding_steps.place_poster(actor=current_actor(), key=request_key({}))
    from_wizard = request.form.get("from") == "wizard"
    return redirect(url_for("office.wizard_launch" if from_wizard else "office.home"), 303)


def _place_form(**said: object) -> PlaceForm:
    return PlaceForm(asks_pin=pins.is_needed(actor=current_actor()), **said)


def _place(form: PlaceForm, done: PlaceReceipt | None = None, *, status: int = 200) -> ResponseReturnValue:
    staff = [row for row in pins.list_all(actor=current_actor()) if row.active]
    return wizard.page("place", form, status=status, done=done, staff=staff)


def _label_form() -> LabelForm:
    return LabelForm(formdata=None, label=gettext("Counter"))


def _launch(form: LabelForm, made: PairingCode | None = None, *, status: int = 200) -> ResponseReturnValue:
    actor = current_actor()
    facts = setup.get(actor=actor)
    address = f"{current_app.config['CONFIG'].public_url}/terminal"
    store = onboarding_steps.find_first_store(actor=actor)
    return wizard.page(
        "launch",
        form,
        status=status,
        setup=facts,
        made=made,
        store=store,
        join=links.join(facts.vendor_code, store.code if store else None),
        address=address,
        link=f"{address}?code={made.code}" if made and made.code else None,
    )
