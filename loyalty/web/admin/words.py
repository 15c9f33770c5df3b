"""Kinds of deliveries in words."""

from loyalty.errors import N_
from loyalty.web import mail_words
from loyalty.web.sentences import gettext

_KINDS = {
    "apple.program": N_("Apple passes of a changed program"),
    "apple.push": N_("Update of an Apple pass"),
    "cards.bulk": N_("Switching many cards off or on"),
    "google.class": N_("Program at Google Wallet"),
    "google.object": N_("Card at Google Wallet"),
    "privacy.mail": N_("Copy of a mail to an erased customer"),
    "webhook.delivery": N_("Webhook"),
}


def kind_words(kind: str) -> str:
    """Say what a kind of delivery is; one that has no words yet by its own name."""
    if kind.startswith("mail."):
        return gettext("Mail: %(kind)s", kind=mail_words.kind_words(kind.removeprefix("mail.")))
    return gettext(_KINDS[kind]) if kind in _KINDS else kind
