"""The first screen, and pairing a tablet with its store."""

from datetime import timedelta

from flask import Response, current_app, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from loyalty.errors import ValidationError, VendorSuspended
from loyalty.services import terminals
from loyalty.web.access import now, public, terminal_session
from loyalty.web.sentences import gettext
from loyalty.web.terminal.blueprint import blueprint
from loyalty.web.terminal.lookup import ready
from loyalty.web.terminal.session import ask_for_pin
from loyalty.web.terminal.stage import is_open, show

_AS_LONG_AS_BROWSERS_KEEP = timedelta(days=400)


@blueprint.get("")
@public
def index() -> Response:
    """Show what this tablet can do now: be paired, be unlocked, or look for a card."""
    session = terminal_session()
    if session is None:
        return ask_for_code(signed_out=_cookie_name() in request.cookies, code=request.args.get("code", "")[:20])
    if session.status != "active":
        raise VendorSuspended
    if not is_open(session):
        return ask_for_pin()
    return ready(q=request.args.get("q", ""))


@blueprint.post("/pair")
@public
def pair() -> WerkzeugResponse:
    """Exchange the code from the office for the tablet's own token."""
    code = request.form.get("code", "")
    try:
        paired = terminals.pair(code=code, source_ip=request.remote_addr, at=now())
    except ValidationError as refusal:
        return ask_for_code(code=code, error=gettext(refusal.errors["code"]), status=refusal.status)
    response = make_response(redirect(url_for("terminal.index"), 303))
    response.set_cookie(
        _cookie_name(),
        paired.token,
        max_age=_AS_LONG_AS_BROWSERS_KEEP,
        secure=current_app.config["CONFIG"].https,
        httponly=True,
        samesite="Strict",
    )
    return response


def ask_for_code(*, signed_out: bool = False, code: str = "", error: str | None = None, status: int = 200) -> Response:
    """Show the form for a pairing code."""
    title = gettext("Pair this tablet")
    if error:
        title = gettext("Error: %(title)s", title=title)
    return show("pair", title=title, status=status, signed_out=signed_out, code=code, error=error)


def _cookie_name() -> str:
    name: str = current_app.config["TERMINAL_COOKIE_NAME"]
    return name
