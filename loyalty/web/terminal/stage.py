"""One screen at a time: a fragment for htmx with what stands around it, or the whole page."""

from typing import Any

from flask import Response, g, request, url_for

from loyalty.domain.values import Actor
from loyalty.services import transactions, vendors
from loyalty.services.terminals import TerminalSession
from loyalty.web.access import find_actor, now, terminal_actor, terminal_session
from loyalty.web.htmx import is_htmx, render
from loyalty.web.terminal.words import entry_words

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"


def show(
    screen: str,
    *,
    title: str,
    status: int = 200,
    feedback: str | None = None,
    announce: str | None = None,
    **context: Any,  # whatever the screen's template reads
) -> Response:
    """Answer a screen of the till; `announce` is read aloud, the title unless given."""
    session = terminal_session()
    last = _last_action(session)
    around = {
        "session": session,
        "store_name": session.store_name if session else "",
        "last": last,
        "last_words": entry_words(last) if last else "",
        "lock_seconds": _lock_seconds(session),
        "open_card": None,
        "theme": theme(),
        "swap": is_htmx(),
        "colours": None if is_htmx() else _colours(session),
    }
    return render(
        "terminal/page.html",
        "terminal/swap.html",
        status=status,
        feedback=feedback,
        **{**around, **context, "screen": f"terminal/_{screen}.html", "title": title, "announce": announce or title},
    )


def here() -> Actor:
    """Return who acts at this tablet, also on views that are open to all."""
    session = terminal_session()
    actor = find_actor()
    if actor is None and session is not None:
        actor = g.actor = terminal_actor(session)
    if actor is None:
        raise RuntimeError("asked for the actor of a tablet that is not paired")
    return actor


def is_open(session: TerminalSession | None) -> bool:
    """Whether somebody may work at the tablet: signed in, or at a shop that asks for no PINs."""
    return session is not None and (session.staff_pin_id is not None or not session.pin_needed)


def forget_session() -> None:
    """Read the tablet's session anew, after this request has opened or closed it."""
    g.pop("terminal_session", None)
    g.pop("actor", None)


def theme() -> str:
    """Return how bright this tablet is: as the system says, or as somebody chose."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "auto"


def _last_action(session: TerminalSession | None) -> transactions.Entry | None:
    return transactions.last_action(actor=here(), at=now()) if is_open(session) else None


def _lock_seconds(session: TerminalSession | None) -> int | None:
    if session is None or session.locks_at is None or not session.pin_needed:
        return None
    return max(1, round((session.locks_at - now()).total_seconds()))


def _colours(session: TerminalSession | None) -> str | None:
    if session is None:
        return None
    vendor = vendors.get_public(code=session.vendor_code)
    second = (vendor.card_secondary_color or vendor.card_color).lstrip("#")
    return url_for("theme.sheet", c=vendor.card_color.lstrip("#"), s=second)
