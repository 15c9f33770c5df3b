"""The blueprint of the till, and the language it speaks."""

from flask import Blueprint

from loyalty.web.access import terminal_session
from loyalty.web.locale import prefer

blueprint = Blueprint("terminal", __name__, url_prefix="/terminal")


@blueprint.before_request
def speak() -> None:
    """Speak the shop's language and write its local time."""
    session = terminal_session()
    if session is not None:
        prefer(locale=session.locale, timezone=session.timezone)
