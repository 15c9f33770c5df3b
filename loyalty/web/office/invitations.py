"""Using an invitation into an office: with a password of one's own, or as somebody who signs in already."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from loyalty.errors import ValidationError
from loyalty.services import accounts, invitations
from loyalty.services.invitations import Joined
from loyalty.web.access import current_person, now, public
from loyalty.web.forms import request_key
from loyalty.web.office.accounts import enter_with
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.passwords import NewPasswordForm
from loyalty.web.sentences import gettext


@blueprint.get("/invitations/<token>")
@public
def invitation(token: str) -> ResponseReturnValue:
    """Show what one is invited to; only sending the form uses the link."""
    return _page(token, NewPasswordForm(formdata=None))


@blueprint.post("/invitations/<token>")
@public
def accept_invitation(token: str) -> ResponseReturnValue:
    """Join the shop."""
    if current_user.is_authenticated:
        return _accept(token)
    form = NewPasswordForm()
    if form.validate():
        try:
            return _accept_new(token, form.password.data)
        except ValidationError as refusal:
            form.take(refusal)
    return _page(token, form), 422


def _accept_new(token: str, password: str) -> ResponseReturnValue:
    key = request_key({}, caller="invitation")
    done = invitations.accept_new(token=token, password=password, at=now(), key=key)
    if done.email:
        answer = enter_with(done.email, password)
        flash(gettext("Your password is set. The office of %(shop)s is open to you.", shop=done.vendor_name))
        return answer
    # A second tap: its answer is stored without the address.
    flash(gettext("Your password is set. Sign in to enter the office of %(shop)s.", shop=done.vendor_name))
    return redirect(url_for("office.sign_in"), 303)


def _accept(token: str) -> ResponseReturnValue:
    me = current_person()
    key = request_key({}, caller=f"user:{me.session.user_id}")
    done: Joined = invitations.accept(token=token, user_id=me.session.user_id, at=now(), key=key)
    flash(gettext("The office of %(shop)s is open to you.", shop=done.vendor_name))
    return redirect(url_for("office.choose_vendor"), 303)


def _page(token: str, form: NewPasswordForm) -> str:
    invited = invitations.get(token=token, at=now())
    me: accounts.SessionFacts | None = current_user.session if current_user.is_authenticated else None
    return render_template("office/invitation.html", form=form, token=token, invited=invited, me=me)
