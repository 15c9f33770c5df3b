"""The platform: what its admin looks after, across all vendors."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from loyalty.errors import LoyaltyError, NotAuthenticated
from loyalty.web import kept, locale
from loyalty.web.admin import (
    acting,
    audit,
    bulk,
    failures,
    health,
    home,
    mails,
    policies,
    statistics,
    suspensions,
    vendors,
)
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.errors import PageTooOld, register_renderer, sentence_of
from loyalty.web.htmx import is_htmx
from loyalty.web.sentences import gettext

__all__ = [
    "acting",
    "audit",
    "blueprint",
    "bulk",
    "failures",
    "health",
    "home",
    "mails",
    "policies",
    "statistics",
    "suspensions",
    "vendors",
]


@blueprint.before_request
def speak() -> None:
    """Speak the language of whoever is signed in. The shops lie in many zones, so times are UTC and say so."""
    if current_user.is_authenticated:
        locale.prefer_language(current_user.session.locale)


def refuse(error: LoyaltyError, status: int) -> ResponseReturnValue:
    """Lead to the sign-in where that helps; else say what is wrong."""
    reads = request.method in ("GET", "HEAD") and not is_htmx()
    if reads and isinstance(error, NotAuthenticated):
        return redirect(url_for("office.sign_in", next=request.path), 303)
    # Somebody left in another tab: what this one wanted has happened.
    is_leaving = isinstance(error, PageTooOld) and request.endpoint == "admin.leave_vendor"
    if is_leaving and current_user.is_authenticated and not current_user.session.acting_until:
        words = gettext("You act for no shop any more.")
        return render_template("admin/refused.html", error=error, sentence=words), status
    is_inside = current_user.is_authenticated and current_user.session.is_admin
    if (page := kept.rescue(error, is_inside=is_inside)) is not None:
        return page, status
    template = "admin/_refused.html" if is_htmx() else "admin/refused.html"
    return render_template(template, error=error, sentence=sentence_of(error)), status


register_renderer("admin", refuse)
