"""What a mail is between its making and its sending, and which kinds there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

SUBJECT_LENGTH: Final = 120
BODY_LENGTH: Final = 4000
SENDER_NAME_LENGTH: Final = 64
MOST_BIRTHDAY_POINTS: Final = 10_000
MOST_BIRTHDAY_STAMPS: Final = 10

# Mails to customers, and the names of what each says that nothing else remembers (days as ISO dates).
OF_CUSTOMERS: Final[Mapping[str, tuple[str, ...]]] = {
    "enrollment": (),
    "card_link": (),
    "confirm_join": (),
    "confirm_my_data": (),
    "welcome_bonus": ("points", "stamps"),
    "reward_ready": (),
    "points_expiring": ("points", "date"),
    "points_expired": ("points",),
    "address_changed": ("address",),
    "card_replaced": (),
    "program_closing": ("date",),
    "retention_notice": ("date",),
    "birthday": ("points", "stamps"),
    "we_miss_you": (),
}
# To people of the office, about their shop.
OF_SHOPS: Final[Mapping[str, tuple[str, ...]]] = {
    "webhook_paused": (),
    "daily_digest": ("warnings",),
    "wording_test": ("kind", "subject", "body"),
}
# To people who sign in, from the platform.
OF_ACCOUNTS: Final[Mapping[str, tuple[str, ...]]] = {
    "password_reset": (),
    "password_changed": (),
    "new_sign_in": (),
    "invitation": (),
    "task_late": ("task", "since"),
}
FACTS: Final[Mapping[str, tuple[str, ...]]] = {**OF_CUSTOMERS, **OF_SHOPS, **OF_ACCOUNTS}

# What only those get who agreed to it; each carries a way to end it.
MARKETING: Final = ("birthday", "we_miss_you")

# What nobody asked for: it is not sent to an address from which mails come back.
UNASKED: Final = (
    "welcome_bonus",
    "reward_ready",
    "points_expiring",
    "points_expired",
    "program_closing",
    "retention_notice",
    *MARKETING,
)


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """One mail, ready to leave; `message_id` is the same each time it is rendered.

    `unsubscribe` is the address at which programs of the reader end such mails with one click.
    """

    message_id: str
    recipient: str
    sender_name: str
    subject: str
    text: str
    html: str
    locale: str
    written_at: datetime
    unsubscribe: str | None = None
