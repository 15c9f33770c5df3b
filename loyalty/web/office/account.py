"""One's own account: the password, the second factor, and where one is signed in."""

from typing import ClassVar
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from loyalty.domain import settings
from loyalty.domain.values import RequestKey
from loyalty.errors import RateLimited, ValidationError
from loyalty.services import languages, passwords, second_factors, user_sessions
from loyalty.services.second_factors import RecoveryCodes
from loyalty.web.access import current_person, now, signed_in
from loyalty.web.forms import request_key
from loyalty.web.locale import LANGUAGES
from loyalty.web.office.accounts import CodeForm, take_wait
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext, ngettext


class PasswordForm(OfficeForm):
    """The present password and the new one."""

    password = PasswordField(_l("Present password"), [InputRequired(_l("Enter your password.")), Length(max=1000)])
    new = PasswordField(_l("New password"), [InputRequired(_l("Enter a password.")), Length(max=1000)])


class LanguageForm(OfficeForm):
    """The language of one's own pages and mails."""

    checks: ClassVar = settings.USER

    locale = RadioField(
        _l("Your language"), choices=[SelectChoice(*language) for language in LANGUAGES.items()], validate_choice=False
    )


class TurnOffForm(CodeForm):
    """Both factors once more."""

    password = PasswordField(_l("Password"), [InputRequired(_l("Enter your password.")), Length(max=1000)])


@blueprint.get("/account")
@signed_in
def account() -> ResponseReturnValue:
    """Show the account."""
    return _page(PasswordForm(formdata=None))


@blueprint.post("/account/password")
@signed_in
def change_password() -> ResponseReturnValue:
    """Change the password; all other sessions end."""
    form, status, me = PasswordForm(), 422, current_person().session
    if form.validate():
        try:
            passwords.change(
                user_id=me.user_id,
                session_id=me.session_id,
                password=form.password.data,
                new=form.new.data,
                source_ip=request.remote_addr,
                at=now(),
                key=_key(),
            )
            flash(gettext("The password is changed. You are signed out everywhere else."))
            return redirect(url_for("office.account"), 303)
        except ValidationError as refusal:
            form.take(refusal)
        except RateLimited as refusal:
            status = take_wait(form, refusal)
    return _page(form), status


@blueprint.post("/account/language")
@signed_in
def choose_language() -> ResponseReturnValue:
    """Choose the language of one's own pages and mails."""
    form, me = LanguageForm(), current_person().session
    if form.validate():
        key = request_key(form.values, caller=f"user:{me.user_id}")
        chosen = languages.choose(user_id=me.user_id, locale=form.locale.data, key=key)
        # In this browser, too, where another one may have been chosen before.
        return redirect(url_for("office.account", lang=chosen.locale), 303)
    return _page(PasswordForm(formdata=None), language_form=form), 422


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@signed_in
def end_session(session_id: UUID) -> ResponseReturnValue:
    """End one of one's sessions."""
    user_sessions.end(user_id=current_person().session.user_id, session_id=session_id, at=now(), key=_key())
    flash(gettext("The session is ended."))
    return redirect(url_for("office.account"), 303)


@blueprint.post("/account/sessions/end")
@signed_in
def end_other_sessions() -> ResponseReturnValue:
    """End all sessions but this one."""
    me = current_person().session
    done = user_sessions.end_others(user_id=me.user_id, session_id=me.session_id, at=now(), key=_key())
    flash(ngettext("%(num)s session is ended.", "%(num)s sessions are ended.", done.ended))
    return redirect(url_for("office.account"), 303)


@blueprint.get("/account/second-factor")
@signed_in
def second_factor() -> ResponseReturnValue:
    """Show the code that a phone scans, or how the factor is turned off."""
    if current_person().session.has_second_factor:
        return render_template("office/second_factor_off.html", form=TurnOffForm(formdata=None))
    return _enrolment(CodeForm(formdata=None))


@blueprint.post("/account/second-factor")
@signed_in
def turn_second_factor_on() -> ResponseReturnValue:
    """Turn it on, and show the codes for a lost phone, this once."""
    form, status, me = CodeForm(), 422, current_person().session
    sealed = request.form.get("sealed", "")
    if form.validate():
        try:
            made = second_factors.turn_on(user_id=me.user_id, sealed=sealed, code=form.code.data, at=now(), key=_key())
            return _page(PasswordForm(formdata=None), made)
        except ValidationError as refusal:
            form.take(refusal)
        except RateLimited as refusal:
            status = take_wait(form, refusal)
    return _enrolment(form, sealed), status


@blueprint.post("/account/second-factor/off")
@signed_in
def turn_second_factor_off() -> ResponseReturnValue:
    """Turn it off, after the password and a code."""
    form, status, me = TurnOffForm(), 422, current_person().session
    if form.validate():
        try:
            passwords.require(user_id=me.user_id, password=form.password.data, source_ip=request.remote_addr, at=now())
            second_factors.turn_off(user_id=me.user_id, code=form.code.data, at=now(), key=_key())
            flash(gettext("The second factor is off."))
            return redirect(url_for("office.account"), 303)
        except ValidationError as refusal:
            form.take(refusal)
        except RateLimited as refusal:
            status = take_wait(form, refusal)
    return render_template("office/second_factor_off.html", form=form), status


def _key() -> RequestKey:
    # Nothing of what is typed here may be stored, not even as an HMAC.
    return request_key({}, caller=f"user:{current_person().session.user_id}")


def _enrolment(form: CodeForm, sealed: str = "") -> str:
    me = current_person().session
    offered = second_factors.begin(user_id=me.user_id, email=me.email, sealed=sealed)
    return render_template("office/second_factor.html", form=form, offered=offered)


def _page(form: PasswordForm, made: RecoveryCodes | None = None, *, language_form: LanguageForm | None = None) -> str:
    me = current_person().session
    return render_template(
        "office/account.html",
        form=form,
        made=made,
        language_form=language_form or LanguageForm(formdata=None, locale=me.locale),
        factor=second_factors.get_state(user_id=me.user_id),
        sessions=user_sessions.list_open(user_id=me.user_id, session_id=me.session_id, at=now()),
    )
