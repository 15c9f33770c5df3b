"""Kinds of deliveries in words."""

from loyalty.errors import N_
from loyalty.web.sentences import gettext

_KINDS = {
    "apple.program": N_("Apple passes of a changed program"),
    "apple.push": N_("Update of an Apple pass"),
    "cards.bulk": N_("Switching many cards off or on"),
    "google.class": N_("Program at Google Wallet"),
    "google.object": N_("Card at Google Wallet"),
    "mail.address_changed": N_("Mail about a changed address"),
    "mail.birthday": N_("Mail on a birthday"),
    "mail.card_link": N_("Mail with the link to a card"),
    "mail.card_replaced": N_("Mail with a new card"),
    "mail.confirm_join": N_("Mail that confirms an address"),
    "mail.confirm_my_data": N_("Mail that leads to one's data"),
    "mail.daily_digest": N_("Daily mail of warnings"),
    "mail.enrollment": N_("Welcome mail"),
    "mail.invitation": N_("Invitation into an office"),
    "mail.new_sign_in": N_("Mail about a sign-in"),
    "mail.password_changed": N_("Mail about a changed password"),
    "mail.password_reset": N_("Mail for a new password"),
    "mail.points_expired": N_("Mail about expired points"),
    "mail.points_expiring": N_("Warning before points expire"),
    "mail.program_closing": N_("Mail about a program that ends"),
    "mail.retention_notice": N_("Mail before a card is deleted"),
    "mail.reward_ready": N_("Mail about a reward"),
    "mail.task_late": N_("Mail about a late task"),
    "mail.we_miss_you": N_("Mail to somebody who has not come for long"),
    "mail.webhook_paused": N_("Mail about a paused webhook"),
    "mail.welcome_bonus": N_("Mail about a welcome present"),
    "mail.wording_test": N_("Test of a shop's own words"),
    "privacy.mail": N_("Copy of a mail to an erased customer"),
    "webhook.delivery": N_("Webhook"),
}


def kind_words(kind: str) -> str:
    """Say what a kind of delivery is; one that has no words yet by its own name."""
    return gettext(_KINDS[kind]) if kind in _KINDS else kind
