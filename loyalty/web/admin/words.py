"""Kinds of deliveries in words."""

from loyalty.errors import N_
from loyalty.web.sentences import gettext

_KINDS = {
    "apple.program": N_("Apple passes of a changed program"),
    "apple.push": N_("Update of an Apple pass"),
    "google.class": N_("Program at Google Wallet"),
    "google.object": N_("Card at Google Wallet"),
    "mail.card_link": N_("Mail with the link to a card"),
    "mail.confirm_join": N_("Mail that confirms an address"),
    "mail.enrollment": N_("Welcome mail"),
    "mail.webhook_paused": N_("Mail about a paused webhook"),
    "privacy.mail": N_("Copy of a mail to an erased customer"),
    "webhook.delivery": N_("Webhook"),
}


def kind_words(kind: str) -> str:
    """Say what a kind of delivery is; one that has no words yet by its own name."""
    return gettext(_KINDS[kind]) if kind in _KINDS else kind
