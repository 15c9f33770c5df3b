"""The program's settings, its preview, and whether it runs."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.colours import contrast, fg
from loyalty.domain.values import PassContent, Role
from loyalty.errors import ValidationError
from loyalty.services import images, programs
from loyalty.services.programs import Program
from loyalty.web.access import current_actor, requires
from loyalty.web.forms import request_key
from loyalty.web.htmx import render
from loyalty.web.limits import limit
from loyalty.web.locale import ratio
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.office.preview import chosen, missing_wallet, second_colour
from loyalty.web.office.program_form import ProgramForm
from loyalty.web.sentences import gettext

# Two pictures of 2 MB would be one too many, but all else fits beside one.
_LONGEST_WITH_PICTURES = 3 * 1024 * 1024


@blueprint.url_value_preprocessor
def take_pictures(endpoint: str | None, _values: dict[str, object] | None) -> None:
    """Let the form that carries pictures be longer than others, before anything of it is read."""
    if endpoint in ("office.change_program", "office.preview_program"):
        request.max_content_length = _LONGEST_WITH_PICTURES


@blueprint.get("/program")
@requires(Role.MANAGER)
def program() -> ResponseReturnValue:
    """Show all settings with a picture of the card."""
    present = programs.get(actor=current_actor())
    return _page(ProgramForm(obj=present), present)


@blueprint.post("/program")
@requires(Role.MANAGER)
@limit("20 per minute", exempt_when=lambda: not request.files)
def change_program() -> ResponseReturnValue:
    """Save all settings, or none and say why."""
    form = ProgramForm()
    if form.validate():
        try:
            programs.change(actor=current_actor(), changes=form.changes, key=request_key(form.changes))
            flash(gettext("The program is saved."))
            return redirect(chosen().address, 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _page(form, programs.get(actor=current_actor()), status=422)


@blueprint.post("/program/preview")
@requires(Role.MANAGER)
@limit("20 per minute", exempt_when=lambda: not request.files)
def preview_program() -> ResponseReturnValue:
    """Draw the card as it would be, and save nothing."""
    form = ProgramForm()
    form.validate()
    return _page(form, programs.get(actor=current_actor()))


@blueprint.get("/program/activate")
@requires(Role.MANAGER)
def confirm_activation() -> ResponseReturnValue:
    """Ask whether to open the program."""
    return confirm_page(
        title=gettext("Open the program"),
        text=gettext("From now on customers can join, and the till gives stamps and points."),
        button=gettext("Open the program"),
        back=url_for("office.program"),
    )


@blueprint.post("/program/activate")
@requires(Role.MANAGER)
def activate_program() -> ResponseReturnValue:
    """Let the program run."""
    programs.activate(actor=current_actor(), key=request_key({}))
    flash(gettext("The program is open."))
    return redirect(url_for("office.program"), 303)


@blueprint.get("/program/deactivate")
@requires(Role.MANAGER)
def confirm_deactivation() -> ResponseReturnValue:
    """Ask whether to pause the program."""
    return confirm_page(
        title=gettext("Pause the program"),
        text=gettext("Nobody can join, and the till gives and redeems nothing until you open it again. Cards stay."),
        button=gettext("Pause the program"),
        back=url_for("office.program"),
    )


@blueprint.post("/program/deactivate")
@requires(Role.MANAGER)
def deactivate_program() -> ResponseReturnValue:
    """Pause the program."""
    programs.deactivate(actor=current_actor(), key=request_key({}))
    flash(gettext("The program is paused."))
    return redirect(url_for("office.program"), 303)


def _page(form: ProgramForm, present: Program, *, status: int = 200) -> ResponseReturnValue:
    choice = chosen()
    content = programs.preview(actor=current_actor(), changes=form.right_values, share=choice.share)
    return render(
        "office/program.html",
        "office/_preview.html",
        status=status,
        form=form,
        program=present,
        content=content,
        choice=choice,
        missing_wallet=missing_wallet(choice.mode),
        second=second_colour(form.card_secondary_color.data, content),
        text_colour=gettext("black") if fg(content.color) == "#000000" else gettext("white"),
        contrast=ratio(contrast(content.color, fg(content.color))),
        logo_contrast=_logo_contrast(content),
    )


def _logo_contrast(content: PassContent) -> str | None:
    """Say how well the logo stands out, where it does not and therefore gets a white plate."""
    seen = images.shade(content.logo_url)
    return ratio(contrast(seen, content.color)) if seen and content.logo_on_plate else None
