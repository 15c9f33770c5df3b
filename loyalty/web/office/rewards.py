"""Rewards that points buy."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from loyalty.domain import settings
from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import programs, rewards
from loyalty.web.access import current_actor, requires
from loyalty.web.fields import WholeNumberField
from loyalty.web.forms import request_key
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.fields import MoneyField
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext


class RewardForm(OfficeForm):
    """A reward and its price."""

    checks = settings.REWARD

    name = StringField(_l("Name of the reward"))
    points_required = WholeNumberField(_l("Price in points"))
    value_cents = MoneyField(_l("What it is worth"), optional=True)
    description = StringField(_l("Description"))
    name_en = StringField(_l("Name in English"))
    name_fr = StringField(_l("Name in French"))
    name_de = StringField(_l("Name in German"))
    name_lb = StringField(_l("Name in Luxembourgish"))

    @property
    def names(self) -> list[StringField]:
        """The names in other languages."""
        return [self[f"name_{locale}"] for locale in settings.LOCALES]


@blueprint.get("/rewards")
@requires(Role.MANAGER)
def list_rewards() -> ResponseReturnValue:
    """List the rewards, with a form for the next one."""
    return _list(RewardForm(formdata=None))


@blueprint.post("/rewards")
@requires(Role.MANAGER)
def create_reward() -> ResponseReturnValue:
    """Put a reward on offer."""
    form = RewardForm()
    if form.validate():
        try:
            made = rewards.create(actor=current_actor(), details=form.values, key=request_key(form.values))
            flash(gettext("“%(name)s” is on offer.", name=made.name))
            return redirect(url_for("office.list_rewards"), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _list(form), 422


@blueprint.get("/rewards/<reward_id>")
@requires(Role.MANAGER)
def reward(reward_id: str) -> ResponseReturnValue:
    """Show one reward for changing."""
    row = rewards.get(actor=current_actor(), reward_id=reward_id)
    names = {f"name_{locale}": name for locale, name in row.names.items()}
    return render_template("office/reward.html", form=RewardForm(obj=row, data=names), reward=row)


@blueprint.post("/rewards/<reward_id>")
@requires(Role.MANAGER)
def change_reward(reward_id: str) -> ResponseReturnValue:
    """Save one reward."""
    row = rewards.get(actor=current_actor(), reward_id=reward_id)
    form = RewardForm()
    if form.validate():
        try:
            key = request_key(form.changes)
            rewards.change(actor=current_actor(), reward_id=reward_id, details=form.changes, key=key)
            flash(gettext("The reward is saved."))
            return redirect(url_for("office.list_rewards"), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return render_template("office/reward.html", form=form, reward=row), 422


@blueprint.post("/rewards/<reward_id>/deactivate")
@requires(Role.MANAGER)
def deactivate_reward(reward_id: str) -> ResponseReturnValue:
    """Take a reward off the offer; the list has a button that undoes it."""
    done = rewards.deactivate(actor=current_actor(), reward_id=reward_id, key=request_key({}))
    flash(gettext("“%(name)s” is off the offer.", name=done.name))
    return redirect(url_for("office.list_rewards"), 303)


@blueprint.post("/rewards/<reward_id>/activate")
@requires(Role.MANAGER)
def reactivate_reward(reward_id: str) -> ResponseReturnValue:
    """Put a reward on offer again."""
    done = rewards.reactivate(actor=current_actor(), reward_id=reward_id, key=request_key({}))
    flash(gettext("“%(name)s” is on offer.", name=done.name))
    return redirect(url_for("office.list_rewards"), 303)


@blueprint.post("/rewards/<reward_id>/up", defaults={"up": True}, endpoint="move_reward_up")
@blueprint.post("/rewards/<reward_id>/down", defaults={"up": False}, endpoint="move_reward_down")
@requires(Role.MANAGER)
def move_reward(reward_id: str, up: bool) -> ResponseReturnValue:
    """Move a reward one place."""
    rewards.move(actor=current_actor(), reward_id=reward_id, up=up, key=request_key({}))
    return redirect(url_for("office.list_rewards"), 303)


def _list(form: RewardForm) -> str:
    actor = current_actor()
    program = programs.get(actor=actor)
    return render_template("office/rewards.html", form=form, rewards=rewards.list_all(actor=actor), program=program)
