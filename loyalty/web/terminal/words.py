"""What the till says: headings of results, lines of today's list."""

from dataclasses import dataclass

from loyalty.domain.codes import format_card_number
from loyalty.domain.values import TransactionType
from loyalty.services.card_views import CounterCard
from loyalty.services.transactions import Entry
from loyalty.web.locale import number
from loyalty.web.sentences import gettext, ngettext


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a screen says about something that worked or did not: colour, icon, heading, a line, one more line."""

    kind: str
    icon: str
    title: str
    text: str = ""
    note: str = ""
    feedback: str = ""


def heading(card: CounterCard) -> str:
    """Return what a card is called: its customer's name, or its number."""
    return card.name or card_words(card.card_number)


def card_words(card_number: str) -> str:
    """Return the words for a card without a name."""
    return gettext("Card %(number)s", number=format_card_number(card_number))


def entry_words(entry: Entry) -> str:
    """Say what a row of the ledger was, in as few words as the strip has room for."""
    stamps, points = entry.stamps_delta, entry.points_delta
    kind = entry.transaction_type
    if kind == TransactionType.CARD_CREATED:
        return gettext("New card")
    if kind in (TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED):
        return gettext("Reward given: %(reward)s", reward=entry.reward_description or "")
    if kind == TransactionType.REDEMPTION_VOIDED:
        return gettext("Reward taken back: %(reward)s", reward=entry.reward_description or "")
    changes = [change for change in (_stamps(stamps), _points(points)) if change]
    if kind == TransactionType.WELCOME_BONUS:
        return gettext("Welcome: %(bonus)s", bonus=", ".join(changes))
    return ", ".join(changes) or gettext("No change")


def _stamps(delta: int) -> str:
    if not delta:
        return ""
    sign = "+" if delta > 0 else "−"
    return ngettext("%(sign)s%(num)s stamp", "%(sign)s%(num)s stamps", abs(delta), sign=sign)


def _points(delta: int) -> str:
    if not delta:
        return ""
    sign = "+" if delta > 0 else "−"
    return ngettext(
        "%(sign)s%(points)s point", "%(sign)s%(points)s points", abs(delta), sign=sign, points=number(abs(delta))
    )
