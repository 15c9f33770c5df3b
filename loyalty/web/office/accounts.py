"""Signing in and out, and choosing whose office to enter."""

from math import ceil
from uuid import UUID

from flask import Response, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_login import current_user, login_user, logout_user
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from loyalty.errors import NotAuthenticated, NotFound, RateLimited, ValidationError
from loyalty.services import accounts
from loyalty.web.access import SignedInUser, now, public
from loyalty.web.limits import address_source, limit
from loyalty.web.office import kept
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext, ngettext


class SignInForm(OfficeForm):
    """An e-mail address and a password."""

    email = StringField(
        lazy_gettext("E-mail"), [InputRequired(lazy_gettext("Enter your e-mail address.")), Length(max=254)]
    )
    password = PasswordField(
        lazy_gettext("Password"), [InputRequired(lazy_gettext("Enter your password.")), Length(max=1000)]
    )


def sign_in_page(*, next_page: str = "", form: str = "") -> str:
    """Ask who it is, and come back afterwards to a page or to a form that was sent."""
    return render_template("office/sign_in.html", form=SignInForm(formdata=None), next=next_page, kept=form)


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
    form = SignInForm()
    status = 422
    if form.validate():
        try:
            opened = accounts.sign_in(
                email=form.email.data, password=form.password.data, source_ip=request.remote_addr, at=now()
            )
            return _enter(opened.token)
        except ValidationError as refusal:
            form.take(refusal)
        except RateLimited as refusal:
            status = refusal.status
            minutes = max(1, ceil((refusal.retry_at - now()).total_seconds() / 60))
            form.form_errors.append(
                ngettext("Too many tries. Wait a minute.", "Too many tries. Wait %(num)s minutes.", minutes)
            )
    next_page = request.form.get("next", "")
    return render_template("office/sign_in.html", form=form, next=next_page, kept=kept.packed()), status


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
    return _shops_page(_user().session.user_id)


@blueprint.post("/shops")
@public
def enter_vendor() -> ResponseReturnValue:
    """Enter the office of one of them."""
    user = _user()
    try:
        vendor_id = UUID(request.form.get("vendor_id", ""))
    except ValueError as refusal:
        raise NotFound from refusal
    return _enter(accounts.choose_vendor(token=user.token, vendor_id=vendor_id, at=now()).token)


def _user() -> SignedInUser:
    if not current_user.is_authenticated:
        raise NotAuthenticated
    user: SignedInUser = current_user._get_current_object()
    return user


def _shops_page(user_id: UUID) -> str:
    shops = accounts.list_memberships(user_id=user_id)
    return render_template("office/shops.html", shops=shops, kept=kept.packed(), is_admin=current_user.session.is_admin)


def _enter(token: str) -> ResponseReturnValue:
    found = accounts.get_session(token=token, at=now())
    if found is None:
        raise NotAuthenticated
    # Nothing of the time before survives, so a session that somebody planted is worth nothing.
    session.clear()
    login_user(SignedInUser(token, found))
    form = kept.unpack()
    if form is None:
        return redirect(_first_page(found), 303)
    # Pages from here on carry the token of the session that has just begun.
    g.pop("csrf_token", None)
    return kept.offer(form) if found.vendor_id else _shops_page(found.user_id)


def _first_page(found: accounts.SessionFacts) -> str:
    """Return where somebody begins: the page they asked for, else the platform or the one shop they have."""
    if found.is_admin and (wish := _wish("/admin")):
        return wish
    if found.is_admin and not found.shops:
        return url_for("admin.home")
    # Who has several places to go to is asked, unless a page was asked for already.
    if found.vendor_id and (not found.is_admin or _wish("/office")):
        return _next_page()
    return url_for("office.choose_vendor")


def _next_page() -> str:
    return _wish("/office") or url_for("office.home")


def _wish(surface: str) -> str:
    """Return the page that was asked for where it lies in this surface; no other address is followed."""
    wish = request.form.get("next") or request.args.get("next") or ""
    inside = wish == surface or wish.startswith(f"{surface}/")
    return wish if inside and "//" not in wish and "\\" not in wish and wish.isprintable() else ""
