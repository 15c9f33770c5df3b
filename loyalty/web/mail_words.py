"""Kinds and states of mails in words."""

from typing import Final

from loyalty.errors import N_
from loyalty.web.sentences import gettext

# Each with when it is sent.
KINDS: Final = {
    "enrollment": (N_("Welcome"), N_("When somebody joins: the link to the card.")),
    "welcome_bonus": (N_("Welcome present"), N_("When a new card begins with stamps or points.")),
    "card_link": (N_("Link to the card"), N_("When somebody who has a card joins again, or lost the link.")),
    "confirm_join": (N_("Confirming the address"), N_("Before a card is made, where addresses are confirmed first.")),
    "reward_ready": (N_("Reward ready"), N_("Once for each full card.")),
    "points_expiring": (N_("Points expire soon"), N_("14 days before points expire.")),
    "points_expired": (N_("Points have expired"), N_("When points were taken.")),
    "confirm_my_data": (N_("Own data"), N_("When a customer asks to see, change or delete what is known.")),
    "address_changed": (N_("Changed address"), N_("To the old address when mails go elsewhere.")),
    "card_replaced": (N_("New card"), N_("When a lost or copied card is replaced.")),
    "program_closing": (N_("The program ends"), N_("When you announce the end of your program.")),
    "retention_notice": (N_("Unused card"), N_("Before a card that was not used for long is deleted.")),
    "birthday": (N_("Birthday"), N_("On the day, to those who agreed to news.")),
    "we_miss_you": (
        N_("We miss you"),
        N_("Once when somebody stays away longer than usual, to those who agreed to news."),
    ),
    "webhook_paused": (N_("Paused webhook"), ""),
    "daily_digest": (N_("Daily warnings"), ""),
    "wording_test": (N_("Test of own words"), ""),
    "invitation": (N_("Invitation into the office"), ""),
    "password_reset": (N_("New password"), ""),
    "password_changed": (N_("Changed password"), ""),
    "new_sign_in": (N_("Sign-in from a new browser"), ""),
    "task_late": (N_("Late task"), ""),
}
# State, the colour of its mark and its drawing.
STATES: Final = {
    "waiting": (N_("Waiting"), "info", "clock"),
    "sending": (N_("Leaving now"), "info", "clock"),
    "sent": (N_("Handed over"), "ok", "check"),
    "failed": (N_("Not delivered"), "bad", "cross"),
    "unknown": (N_("Perhaps delivered"), "warn", "warning"),
}


def kind_words(kind: str) -> str:
    """Say what a mail is about."""
    return gettext(KINDS[kind][0]) if kind in KINDS else kind


def when_words(kind: str) -> str:
    """Say when a mail is sent."""
    return gettext(KINDS[kind][1]) if kind in KINDS and KINDS[kind][1] else ""


def state_words(state: str) -> str:
    """Say what became of a mail."""
    return gettext(STATES[state][0])
