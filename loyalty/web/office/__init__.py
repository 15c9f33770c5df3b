"""The office: what owners and managers set up, in a browser, signed in with a password."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from loyalty.errors import ActingEnded, Forbidden, LoyaltyError, NotAuthenticated
from loyalty.web import kept, locale
from loyalty.web.errors import again_at, register_renderer, sentence_of
from loyalty.web.htmx import is_htmx
from loyalty.web.office import (
    account,
    accounts,
    closing,
    corrections,
    customer_files,
    customers,
    duplicates,
    expiry,
    home,
    invitations,
    keys,
    mail_log,
    mails,
    members,
    passwords,
    pins,
    posters,
    privacy,
    privacy_record,
    programs,
    replacements,
    rewards,
    statistics,
    stores,
    terminals,
    transactions,
    updates,
    vendors,
    webhooks,
    wizard,
    wizard_launch,
)
from loyalty.web.office.blueprint import blueprint

__all__ = [
    "account",
    "accounts",
    "blueprint",
    "closing",
    "corrections",
    "customer_files",
    "customers",
    "duplicates",
    "expiry",
    "home",
    "invitations",
    "keys",
    "mail_log",
    "mails",
    "members",
    "passwords",
    "pins",
    "posters",
    "privacy",
    "privacy_record",
    "programs",
    "replacements",
    "rewards",
    "statistics",
    "stores",
    "terminals",
    "transactions",
    "updates",
    "vendors",
    "webhooks",
    "wizard",
    "wizard_launch",
]


@blueprint.before_request
def speak() -> None:
    """Speak the language of whoever is signed in, and write times as the shop's clock shows them."""
    if current_user.is_authenticated:
        locale.prefer(locale=current_user.session.locale, timezone=current_user.session.timezone)


def refuse(error: LoyaltyError, status: int) -> ResponseReturnValue:
    """Lead to the sign-in or to the choice of a shop where that helps; else say what is wrong."""
    reads = request.method in ("GET", "HEAD") and not is_htmx()
    if reads and isinstance(error, NotAuthenticated):
        return redirect(url_for("office.sign_in", next=request.path), 303)
    is_homeless = current_user.is_authenticated and not current_user.session.vendor_id
    if reads and isinstance(error, Forbidden) and is_homeless and not isinstance(error, ActingEnded):
        return redirect(url_for("office.choose_vendor"), 303)
    is_inside = current_user.is_authenticated and current_user.session.vendor_id is not None
    if (page := kept.rescue(error, is_inside=is_inside)) is not None:
        return page, status
    template = "office/_refused.html" if is_htmx() else "office/refused.html"
    return render_template(template, error=error, sentence=sentence_of(error), again=again_at(error)), status


register_renderer("office", refuse)
