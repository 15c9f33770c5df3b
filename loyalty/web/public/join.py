"""Joining: one field, one tap. It all works without JavaScript."""

from flask import Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.errors import ValidationError
from loyalty.services import card_links, enrolment
from loyalty.services.enrolment import Joined
from loyalty.services.vendors import PublicVendor
from loyalty.web import locale
from loyalty.web.access import now, public
from loyalty.web.forms import request_key
from loyalty.web.limits import JOINING, address_source, limit_together
from loyalty.web.public.blueprint import blueprint
from loyalty.web.public.forms import JoinPage

_ONE_YEAR = 31_536_000


@blueprint.get("/join/<vendor_code>")
@public
def show_join(vendor_code: str) -> ResponseReturnValue:
    """Show the deal and the form; a phone that has the card already goes straight to it."""
    vendor = _shop(vendor_code)
    token = card_links.find_own(vendor_id=vendor.vendor_id, token=request.cookies.get("card", ""))
    if token:
        return redirect(url_for("public.show_card", token=token), 303)
    return _page(vendor, JoinPage(vendor))


@blueprint.post("/join/<vendor_code>")
@public
def join(vendor_code: str) -> ResponseReturnValue:
    """Join: the new card, or the words that tell nothing; a form with mistakes comes back as it was typed."""
    return _join(_shop(vendor_code))


@blueprint.get("/join/<vendor_code>/sent")
@public
def show_sent(vendor_code: str) -> str:
    """Say that a mail is on its way: the same words whoever asks."""
    return render_template("public/sent.html", vendor=_shop(vendor_code))


@blueprint.get("/join/confirm/<token>")
@public
def show_confirmation(token: str) -> str:
    """Show the button of a mailed link; only pressing it uses the link, since mail scanners open links, too."""
    vendor = enrolment.get_pending(token=token, at=now())
    _speak(vendor)
    return render_template("public/confirm.html", vendor=vendor, token=token)


@blueprint.post("/join/confirm/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Use a mailed link: the address is proven, here is the card."""
    joined = enrolment.confirm_join(token=token, key=request_key({}, caller="confirm"), at=now())
    return _answer(joined)


# Counted once the shop is known: a refusal says when to come back, and that by the shop's clock.
@limit_together("10 per minute", scope=JOINING, key_func=address_source)
def _join(vendor: PublicVendor) -> ResponseReturnValue:
    form, store_code = JoinPage(vendor), request.form.get("store", "")
    if form.validate():
        try:
            joined = enrolment.join(
                vendor_code=vendor.code,
                store_code=store_code,
                form=form.filled(),
                locale=locale.language(),
                key=form.request_key(store_code),
                at=now(),
            )
            return _answer(joined)
        except ValidationError as refusal:
            form.refuse(refusal)
    return _page(vendor, form), 422


def _shop(vendor_code: str) -> PublicVendor:
    vendor = enrolment.get_joinable(code=vendor_code)
    _speak(vendor)
    return vendor


def _speak(vendor: PublicVendor) -> None:
    g.shop_language = vendor.locale
    locale.set_zone(vendor.timezone)


def _page(vendor: PublicVendor, form: JoinPage) -> str:
    store_code = request.values.get("store", "")
    return render_template("public/join.html", vendor=vendor, form=form, store_code=store_code)


def _answer(joined: Joined) -> Response:
    """Lead on to the card, which this phone remembers from now on, or to the words about the mail."""
    if joined.public_token is None:
        return make_response(redirect(url_for("public.show_sent", vendor_code=joined.vendor_code), 303))
    response = make_response(redirect(url_for("public.show_card", token=joined.public_token, new=1), 303))
    # Sent to this shop's join page alone.
    response.set_cookie(
        "card",
        joined.public_token,
        max_age=_ONE_YEAR,
        path=url_for("public.show_join", vendor_code=joined.vendor_code),
        secure=current_app.config["CONFIG"].https,
        httponly=True,
        samesite="Lax",
    )
    return response
