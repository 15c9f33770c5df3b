"""The wizard: from nothing to a program that customers can join, in five steps that are each saved."""

from typing import Any, Final

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import onboarding_steps, programs
from loyalty.web.access import current_actor, requires
from loyalty.web.forms import request_key
from loyalty.web.htmx import render
from loyalty.web.limits import limit
from loyalty.web.office import wizard_preview
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import OfficeForm
from loyalty.web.office.wizard_forms import KindForm, LookForm, RuleForm
from loyalty.web.sentences import gettext

STEPS: Final = onboarding_steps.STEPS
# One picture of 2 MB, and all else beside it.
_LONGEST_WITH_PICTURE: Final = 3 * 1024 * 1024


@blueprint.url_value_preprocessor
def take_logo(endpoint: str | None, _values: dict[str, object] | None) -> None:
    """Let the step that carries a logo be longer than others, before anything of it is read."""
    if endpoint in ("office.save_look", "office.preview_wizard"):
        request.max_content_length = _LONGEST_WITH_PICTURE


@blueprint.get("/wizard")
@requires(Role.MANAGER)
def wizard() -> ResponseReturnValue:
    """Lead to the step that comes next."""
    progress = onboarding_steps.get_progress(actor=current_actor())
    return redirect(url_for(f"office.wizard_{'launch' if progress.is_launched else progress.step}"), 303)


@blueprint.get("/wizard/kind")
@requires(Role.MANAGER)
def wizard_kind() -> ResponseReturnValue:
    """Ask what customers collect."""
    return is_over() or page("kind", KindForm(obj=programs.get(actor=current_actor())))


@blueprint.post("/wizard/kind")
@requires(Role.MANAGER)
def save_kind() -> ResponseReturnValue:
    """Save what customers collect."""
    form = KindForm()
    return _save("kind", form)


@blueprint.get("/wizard/rule")
@requires(Role.MANAGER)
def wizard_rule() -> ResponseReturnValue:
    """Ask what a card takes, and what it gives."""
    return is_over() or page("rule", _rule_form(filled=True))


@blueprint.post("/wizard/rule")
@requires(Role.MANAGER)
def save_rule() -> ResponseReturnValue:
    """Save the rule and the first reward."""
    form = _rule_form()
    if form.validate():
        try:
            key = request_key(form.values)
            onboarding_steps.save_rule(actor=current_actor(), changes=form.program, reward=form.reward, key=key)
            return go_on("rule")
        except ValidationError as refusal:
            form.take(refusal)
    return is_over() or page("rule", form, status=422)


@blueprint.get("/wizard/look")
@requires(Role.MANAGER)
def wizard_look() -> ResponseReturnValue:
    """Ask how the card looks."""
    return is_over() or page("look", LookForm(obj=programs.get(actor=current_actor())))


@blueprint.post("/wizard/look")
@requires(Role.MANAGER)
@limit("20 per minute", exempt_when=lambda: not request.files)
def save_look() -> ResponseReturnValue:
    """Save how the card looks."""
    return _save("look", LookForm())


def redraw(step: str) -> ResponseReturnValue:
    """Draw one of the first steps as it would be, and save nothing."""
    form = _rule_form() if step == "rule" else {"kind": KindForm, "look": LookForm}[step]()
    form.validate()
    return page(step, form)


def page(step: str, form: OfficeForm, *, status: int = 200, **more: Any) -> ResponseReturnValue:
    """Show a step with the preview beside it; `more` is whatever the step's own template reads."""
    actor = current_actor()
    progress, program = onboarding_steps.get_progress(actor=actor), programs.get(actor=actor)
    return render(
        f"office/wizard_{step}.html",
        "office/_wizard_preview.html",
        status=status,
        form=form,
        step=step,
        number=STEPS.index(step) + 1,
        reached=STEPS.index(progress.step) + 1,
        is_launched=progress.is_launched,
        program=program,
        **wizard_preview.draw(actor, form, program),
        **more,
    )


def go_on(step: str) -> ResponseReturnValue:
    """Lead to the next step."""
    return redirect(url_for(f"office.wizard_{STEPS[STEPS.index(step) + 1]}"), 303)


def is_over() -> ResponseReturnValue | None:
    """Lead to the last step once the program was open: its settings are no draft any more."""
    if not onboarding_steps.get_progress(actor=current_actor()).is_launched:
        return None
    flash(gettext("Your program was opened already. Change it on the pages of the office."))
    return redirect(url_for("office.wizard_launch"), 303)


def _save(step: str, form: OfficeForm) -> ResponseReturnValue:
    if form.validate():
        try:
            key = request_key(form.values)
            onboarding_steps.save_program(actor=current_actor(), step=step, changes=form.values, key=key)
            return go_on(step)
        except ValidationError as refusal:
            form.take(refusal)
    return is_over() or page(step, form, status=422)


def _rule_form(*, filled: bool = False) -> RuleForm:
    actor = current_actor()
    program = programs.get(actor=actor)
    reward = onboarding_steps.find_first_reward(actor=actor)
    # What was sent comes first; a form that is only shown is filled with what is saved.
    said = {"obj": program, "formdata": None} if filled else {}
    return RuleForm(kind=program.loyalty_type, reward=reward, **said)
