"""How a refusal looks at the till: where it belongs, with the card still on the screen and a way on."""

from uuid import UUID

from flask import Response, request

from loyalty.errors import (
    CardNotFound,
    CardReplaced,
    DailyStampLimit,
    LoyaltyError,
    NotAuthenticated,
    RateLimited,
    StampCooldown,
    TerminalLocked,
    TerminalUnpaired,
)
from loyalty.services.card_views import CounterCard
from loyalty.web.access import find_actor, terminal_session
from loyalty.web.errors import register_renderer, sentence_of
from loyalty.web.locale import clock_time, prefer
from loyalty.web.sentences import gettext
from loyalty.web.terminal import pending, shown
from loyalty.web.terminal.approvals import ask_again, is_about_pin
from loyalty.web.terminal.cards import show_card_screen
from loyalty.web.terminal.pairing import ask_for_code
from loyalty.web.terminal.session import ask_for_pin
from loyalty.web.terminal.stage import is_open, show
from loyalty.web.terminal.words import Outcome


def draw(error: LoyaltyError, status: int) -> Response:
    """Draw a refusal of the till."""
    session = terminal_session()
    if session is not None:
        prefer(locale=session.locale, timezone=session.timezone)
    if isinstance(error, TerminalUnpaired):
        return ask_for_code(signed_out=True, status=status)
    if isinstance(error, TerminalLocked):
        interrupted = pending.as_fields(pending.from_request(request.path, request.form))
        return ask_for_pin(card=_card_id(), interrupted=interrupted, status=status)
    # What was refused before anybody was asked in (another site's post) is nobody's to repeat.
    inside = is_open(session) and find_actor() is not None
    if inside and is_about_pin(error):
        return ask_again(error, status)
    card = _find_card() if inside else None
    refusal = _outcome(error, card)
    if card is not None:
        points = request.endpoint == "terminal.earn_points"
        return show_card_screen(card.card_id, card=card, points=points, refusal=refusal, status=status)
    # A page that is too old has no way on but to be loaded again.
    reload = status in (400, 405, 413, 415) or isinstance(error, NotAuthenticated) or not is_open(session)
    return show("refused", title=refusal.title, status=status, feedback="bad", refusal=refusal, reload=reload)


def _outcome(error: LoyaltyError, card: CounterCard | None) -> Outcome:
    if isinstance(error, StampCooldown):
        title = gettext("Next stamp from %(time)s", time=clock_time(error.cooldown_ends_at))
        return Outcome("warn", "clock", title, _last_stamp(error, card), feedback="warn")
    if isinstance(error, RateLimited):
        title = gettext("Too many tries")
        text = gettext("Wait until %(time)s.", time=clock_time(error.retry_at))
        return Outcome("warn", "clock", title, text, feedback="warn")
    if isinstance(error, DailyStampLimit):
        title = gettext("No more stamps today")
        return Outcome("warn", "clock", title, sentence_of(error), feedback="warn")
    return Outcome("bad", "cross", gettext("This was not done"), sentence_of(error), feedback="bad")


def _card_id() -> UUID | None:
    found = (request.view_args or {}).get("card_id")
    return found if isinstance(found, UUID) else None


def _last_stamp(error: StampCooldown, card: CounterCard | None) -> str:
    at = clock_time(error.last_stamp_at)
    if card is None or card.last_stamp_by is None:
        return gettext("Last stamp at %(time)s.", time=at)
    return gettext("Last stamp at %(time)s by %(name)s.", time=at, name=card.last_stamp_by)


def _find_card() -> CounterCard | None:
    card_id = _card_id()
    if card_id is None:
        return None
    try:
        return shown.read(card_id)
    except (CardNotFound, CardReplaced):
        return None


register_renderer("terminal", draw)
