"""A new password by a mailed link, for whoever has forgotten the old one."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from loyalty.errors import RateLimited, ValidationError
from loyalty.services import passwords
from loyalty.web.access import now, public
from loyalty.web.forms import request_key
from loyalty.web.office.accounts import take_wait
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext


class AddressForm(OfficeForm):
    """Whose password it is."""

    email = StringField(_l("E-mail"), [InputRequired(_l("Enter your e-mail address.")), Length(max=254)])


class NewPasswordForm(OfficeForm):
    """A new password."""

    password = PasswordField(_l("New password"), [InputRequired(_l("Enter a password.")), Length(max=1000)])


@blueprint.get("/password")
@public
def ask_password() -> ResponseReturnValue:
    """Ask for the address that the link is mailed to."""
    return render_template("office/password.html", form=AddressForm(formdata=None))


@blueprint.post("/password")
@public
def mail_password() -> ResponseReturnValue:
    """Mail the link; the answer is the same whoever has this address."""
    form, status = AddressForm(), 422
    if form.validate():
        try:
            email = form.email.data
            key = request_key({"email": email}, caller="password")
            passwords.ask_reset(email=email, source_ip=request.remote_addr, at=now(), key=key)
            return redirect(url_for("office.password_mailed"), 303)
        except ValidationError as refusal:
            form.take(refusal)
        except RateLimited as refusal:
            status = take_wait(form, refusal)
    return render_template("office/password.html", form=form), status


@blueprint.get("/password/sent")
@public
def password_mailed() -> ResponseReturnValue:
    """Say that a mail is on its way: the same words whoever asks."""
    return render_template("office/password_sent.html")


@blueprint.get("/password/<token>")
@public
def new_password(token: str) -> ResponseReturnValue:
    """Show the form behind a mailed link; only sending it uses the link."""
    return _page(token, NewPasswordForm(formdata=None))


@blueprint.post("/password/<token>")
@public
def set_password(token: str) -> ResponseReturnValue:
    """Use the link: all sessions end, and the new password opens the next one."""
    form = NewPasswordForm()
    if form.validate():
        try:
            key = request_key({}, caller="password")
            passwords.reset(token=token, password=form.password.data, at=now(), key=key)
            flash(gettext("The new password is set. Sign in with it."))
            return redirect(url_for("office.sign_in"), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _page(token, form), 422


def _page(token: str, form: NewPasswordForm) -> str:
    email = passwords.get_reset(token=token, at=now())
    return render_template("office/new_password.html", form=form, token=token, email=email)
