"""The office: what owners and managers set up, in a browser, signed in with a password."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from loyalty.errors import ActingEnded, Forbidden, IdempotencyKeyReused, LoyaltyError, NotAuthenticated
from loyalty.web import kept, locale
from loyalty.web.errors import PageTooOld, register_renderer, sentence_of
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
    if not is_htmx() and kept.is_worth_keeping():
        if isinstance(error, NotAuthenticated):
            return accounts.sign_in_page(form=kept.seal()), status
        # The session ended in another tab. Only a browser that vouches for its own page gets the form back.
        if isinstance(error, PageTooOld) and request.headers.get("Sec-Fetch-Site") == "same-origin":
            return _again(), status
        if isinstance(error, IdempotencyKeyReused):
            return kept.offer_anew(kept.sent(), template="office/again.html"), status
    template = "office/_refused.html" if is_htmx() else "office/refused.html"
    return render_template(template, error=error, sentence=sentence_of(error)), status


def _again() -> str:
    if current_user.is_authenticated and current_user.session.vendor_id:
        return kept.offer(kept.sent())
    return accounts.sign_in_page(form=kept.seal())


register_renderer("office", refuse)
