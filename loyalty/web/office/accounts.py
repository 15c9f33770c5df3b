"""Signing in and out, and choosing whose office to enter."""

import secrets
from math import ceil
from typing import Final
from uuid import UUID

from flask import Response, current_app, flash, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_login import current_user, login_user, logout_user
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from loyalty.domain.values import Role
from loyalty.errors import NotAuthenticated, NotFound, RateLimited, SecondFactorRequired, ValidationError
from loyalty.services import accounts, onboarding_steps
from loyalty.services.user_sessions import NewSession, Visit
from loyalty.web import kept
from loyalty.web.access import SignedInUser, current_person, now, public
from loyalty.web.ids import find_id
from loyalty.web.limits import address_source, limit
from loyalty.web.locale import speak
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext, ngettext
from loyalty.web.sign_in import SignInForm, sign_in_page

# As long as the platform knows a browser again.
_REMEMBERED: Final = 90 * 24 * 3600


class CodeForm(OfficeForm):
    """A code of the second factor, or one for a lost phone."""

    code = StringField(lazy_gettext("Code"), [InputRequired(lazy_gettext("Enter the code.")), Length(max=64)])


def take_wait(form: OfficeForm, refusal: RateLimited) -> int:
    """Say above a form how long to wait; returns the status of the answer."""
    minutes = max(1, ceil((refusal.retry_at - now()).total_seconds() / 60))
    form.form_errors.append(
        ngettext("Too many tries. Wait a minute.", "Too many tries. Wait %(num)s minutes.", minutes)
    )
    return refusal.status


@blueprint.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Show the form."""
    if current_user.is_authenticated:
        return redirect(_first_page(current_user.session))
    return sign_in_page(next_page=request.args.get("next", ""))


@blueprint.post("/sign-in")
@public
@limit("5 per minute", key_func=address_source)
def open_session() -> ResponseReturnValue:
    """Sign in: a session with a new token, never the one the browser brought."""
    if "challenge" in request.form:
        return _take_code(request.form["challenge"])
    form, status, visit = SignInForm(), 422, _visit()
    if form.validate():
        try:
            opened = accounts.sign_in(
                email=form.email.data,
                password=form.password.data,
                source_ip=request.remote_addr,
                at=now(),
                visit=visit,
            )
            return _remembering(visit, _enter(opened))
        except SecondFactorRequired as wanted:
            return _code_page(CodeForm(formdata=None), wanted.challenge)
        except ValidationError as refusal:
            form.take(refusal)
        except RateLimited as refusal:
            status = take_wait(form, refusal)
    next_page = request.form.get("next", "")
    return render_template("office/sign_in.html", form=form, next=next_page, kept=kept.packed()), status


def enter_with(email: str, password: str) -> ResponseReturnValue:
    """Sign somebody in who has just chosen a password."""
    visit = _visit()
    source_ip = request.remote_addr
    opened = accounts.sign_in(email=email, password=password, source_ip=source_ip, at=now(), visit=visit)
    return _remembering(visit, _enter(opened))


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End the session, also where it has ended by itself."""
    if current_user.is_authenticated:
        accounts.sign_out(token=current_user.token, at=now())
    logout_user()
    session.clear()
    flash(gettext("You are signed out."))
    response: Response = redirect(url_for("office.sign_in"), 303)  # type: ignore[assignment] # of Flask, not Werkzeug
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@blueprint.get("/shops")
@public
def choose_vendor() -> ResponseReturnValue:
    """List the shops whose office this person may enter."""
    return _shops_page(current_person().session.user_id)


@blueprint.post("/shops")
@public
def enter_vendor() -> ResponseReturnValue:
    """Enter the office of one of them."""
    user = current_person()
    vendor_id = find_id(request.form.get("vendor_id"))
    if vendor_id is None:
        raise NotFound
    return _enter(accounts.choose_vendor(token=user.token, vendor_id=vendor_id, at=now()))


def _take_code(challenge: str) -> ResponseReturnValue:
    """Take the second step of a sign-in; what came with the first has travelled along."""
    form, status, visit = CodeForm(), 422, _visit()
    if form.validate():
        try:
            opened = accounts.sign_in_with_code(challenge=challenge, code=form.code.data, at=now(), visit=visit)
            return _remembering(visit, _enter(opened))
        except ValidationError as refusal:
            form.take(refusal)
        except RateLimited as refusal:
            status = take_wait(form, refusal)
        except NotAuthenticated:
            flash(gettext("That took too long. Sign in again."))
            return sign_in_page(next_page=request.form.get("next", ""), form=kept.packed()), 401
    return _code_page(form, challenge), status


def _code_page(form: CodeForm, challenge: str) -> str:
    next_page = request.form.get("next", "")
    return render_template(
        "office/second_step.html", form=form, challenge=challenge, next=next_page, kept=kept.packed()
    )


def _visit() -> Visit:
    """Say where this request comes from; a browser without the cookie by which it is known again gets one."""
    device = request.cookies.get(current_app.config["BROWSER_COOKIE_NAME"], "")
    known = 32 <= len(device) <= 64 and device.isascii()
    return Visit(request.remote_addr, request.user_agent.string, device if known else secrets.token_urlsafe(32))


def _remembering(visit: Visit, answer: ResponseReturnValue) -> Response:
    response = make_response(answer)
    response.set_cookie(
        current_app.config["BROWSER_COOKIE_NAME"],
        visit.device,
        max_age=_REMEMBERED,
        secure=current_app.config["CONFIG"].https,
        httponly=True,
        samesite="Lax",
    )
    return response


def _shops_page(user_id: UUID) -> str:
    shops = accounts.list_memberships(user_id=user_id)
    return render_template("office/shops.html", shops=shops, kept=kept.packed(), is_admin=current_user.session.is_admin)


def _enter(opened: NewSession) -> ResponseReturnValue:
    found = accounts.get_session(token=opened.token, at=now())
    if found is None:
        raise NotAuthenticated
    # Nothing of the time before survives, so a session that somebody planted is worth nothing.
    session.clear()
    login_user(SignedInUser(opened.token, found))
    # What is said from here on stands on a page of theirs.
    speak(found.locale)
    form = kept.unpack()
    if form is None:
        return redirect(_first_page(found), 303)
    # Pages from here on carry the token of the session that has just begun.
    g.pop("csrf_token", None)
    if form.is_of_platform:
        return kept.offer(form) if found.is_admin else redirect(_first_page(found), 303)
    return kept.offer(form) if found.vendor_id else _shops_page(found.user_id)


def _first_page(found: accounts.SessionFacts) -> str:
    """Return where somebody begins: the page they asked for, else the platform or the one shop they have."""
    if found.is_admin and (wish := _wish("/admin")):
        return wish
    # Pages about oneself belong to no shop.
    if wish := _wish("/office/invitations") or _wish("/office/account"):
        return wish
    if found.is_admin and not found.shops:
        return url_for("admin.home")
    # Who has several places to go to is asked, unless a page was asked for already.
    if found.vendor_id and (not found.is_admin or _wish("/office")):
        return _wish("/office") or _own_first_page(found.vendor_id, found.role)
    return url_for("office.choose_vendor")


def _own_first_page(vendor_id: UUID | None, role: Role) -> str:
    """Return where an owner begins: in the wizard until the program was open once."""
    if vendor_id and role is Role.OWNER and onboarding_steps.is_waiting(vendor_id=vendor_id):
        return url_for("office.wizard")
    return url_for("office.home")


def _wish(surface: str) -> str:
    """Return the page that was asked for where it lies in this surface; no other address is followed."""
    wish = request.form.get("next") or request.args.get("next") or ""
    inside = wish == surface or wish.startswith(f"{surface}/")
    return wish if inside and "//" not in wish and "\\" not in wish and wish.isprintable() else ""
