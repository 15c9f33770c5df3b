"""Who may enter the office: listed, invited, given another role, and removed by owners."""

from collections.abc import Sequence
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import audit_log, invitations, members
from loyalty.web.access import current_actor, current_person, now, requires
from loyalty.web.audit_words import action_words, detail_words
from loyalty.web.forms import request_key
from loyalty.web.ids import find_id
from loyalty.web.limits import limit
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext


class InvitationForm(OfficeForm):
    """Whom to invite, and as what."""

    email = StringField(_l("E-mail"), [InputRequired(_l("Enter an e-mail address.")), Length(max=254)])
    role = RadioField(
        _l("Role"),
        choices=[SelectChoice("manager", _l("Manager")), SelectChoice("owner", _l("Owner"))],
        default="manager",
        validate_choice=False,
    )


@blueprint.get("/members")
@requires(Role.OWNER)
def list_members() -> ResponseReturnValue:
    """List who may enter, and who is invited."""
    return _list(InvitationForm(formdata=None))


@blueprint.post("/members")
@requires(Role.OWNER)
@limit("10 per minute")
def invite_member() -> ResponseReturnValue:
    """Invite somebody by mail, in the language of whoever invites."""
    form = InvitationForm()
    if form.validate():
        try:
            done = invitations.create(
                actor=current_actor(),
                email=form.email.data,
                role=form.role.data,
                locale=current_person().session.locale,
                at=now(),
                key=request_key({"email": form.email.data, "role": form.role.data}),
            )
            flash(gettext("The invitation to %(email)s is on its way.", email=done.email))
            return redirect(url_for("office.list_members"), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _list(form), 422


@blueprint.post("/members/invitations/<uuid:invitation_id>/withdraw")
@requires(Role.OWNER)
def withdraw_invitation(invitation_id: UUID) -> ResponseReturnValue:
    """Take an invitation back."""
    done = invitations.withdraw(actor=current_actor(), invitation_id=invitation_id, at=now(), key=request_key({}))
    flash(gettext("The invitation to %(email)s is withdrawn.", email=done.email))
    return redirect(url_for("office.list_members"), 303)


@blueprint.post("/members/<uuid:user_id>/role")
@requires(Role.OWNER)
def change_member_role(user_id: UUID) -> ResponseReturnValue:
    """Make somebody owner or manager."""
    role = request.form.get("role", "")
    try:
        done = members.change_role(actor=current_actor(), user_id=user_id, role=role, key=request_key({"role": role}))
    except ValidationError as refusal:
        return _list(InvitationForm(formdata=None), _sentences(refusal)), 422
    flash(gettext("The role of %(email)s is changed.", email=done.email))
    return redirect(url_for("office.list_members"), 303)


@blueprint.get("/members/<uuid:user_id>/remove")
@requires(Role.OWNER)
def confirm_member_removal(user_id: UUID) -> ResponseReturnValue:
    """Ask whether to close the office to somebody."""
    return _confirm(user_id)


@blueprint.post("/members/<uuid:user_id>/remove")
@requires(Role.OWNER)
def remove_member(user_id: UUID) -> ResponseReturnValue:
    """Close the office to somebody."""
    try:
        done = members.remove(actor=current_actor(), user_id=user_id, key=request_key({}))
    except ValidationError as refusal:
        return _confirm(user_id, _sentences(refusal)), 422
    flash(gettext("%(email)s cannot enter this office any more.", email=done.email))
    return redirect(url_for("office.list_members"), 303)


def _sentences(refusal: ValidationError) -> list[str]:
    return [gettext(sentence) for sentence in refusal.errors.values()]


def _confirm(user_id: UUID, problems: Sequence[str] = ()) -> str:
    member = members.get(actor=current_actor(), user_id=user_id)
    return confirm_page(
        title=gettext("Close the office to %(email)s", email=member.email),
        text=gettext("This holds from the next click on. What was done stays in the history."),
        button=gettext("Close it to this person"),
        back=url_for("office.list_members"),
        problems=problems,
    )


def _list(form: InvitationForm, problems: Sequence[str] = ()) -> str:
    actor = current_actor()
    return render_template(
        "office/members.html",
        form=form,
        problems=problems,
        members=members.list_all(actor=actor),
        invitations=invitations.list_waiting(actor=actor, at=now()),
        acts=audit_log.list_of_platform(actor=actor, before=find_id(request.args.get("before"))),
        action_words=action_words,
        detail_words=detail_words,
    )
