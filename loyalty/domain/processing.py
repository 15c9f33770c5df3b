"""The record of processing: for each purpose of the registry whose data, on which ground, for whom and how long.

The privacy text for customers and the shop's own record (article 30 of the GDPR) are both written from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from loyalty.domain import privacy
from loyalty.domain.privacy import REGISTRY
from loyalty.errors import N_

CONTRACT: Final = N_("The contract about the card (article 6 (1) b of the GDPR).")
AGREED: Final = N_("The customer has agreed to it, and can take that back at any time (article 6 (1) a).")
INTEREST: Final = N_("The shop's interest in a card that nobody abuses (article 6 (1) f).")
DUTY: Final = N_("The law asks for it (article 6 (1) c).")

WHILE_CUSTOMER: Final = N_("As long as the card is used; then until the customer is forgotten.")
OR_UNPROVEN: Final = N_(
    "As long as the card is used; then until the customer is forgotten. What was typed with an address that nobody "
    "confirmed, for a month."
)
DAY_OR_MONTH: Final = N_("Answers to repeated requests for 30 days.")
LEDGER: Final = N_("The amounts stay when the customer is forgotten, and name nobody any more.")
PHONE: Final = N_("Until the pass is removed, or a day after the customer is forgotten.")


@dataclass(frozen=True, slots=True)
class Activity:
    """One purpose: what is kept for it in words, why that is allowed, and how long it stays."""

    data: str
    ground: str
    kept: str


ACTIVITIES: Final[Mapping[str, Activity]] = {
    privacy.CONTACT: Activity(N_("E-mail address and phone number."), CONTRACT, OR_UNPROVEN),
    privacy.PERSON: Activity(
        N_("Name, birthday and language; name and birthday are voluntary."), AGREED, WHILE_CUSTOMER
    ),
    privacy.CONSENT: Activity(
        N_("Which terms were accepted, and whether news may be sent, with version and time."), DUTY, WHILE_CUSTOMER
    ),
    privacy.CARD: Activity(N_("Card number and codes, stamps, points and rewards."), CONTRACT, WHILE_CUSTOMER),
    privacy.HISTORY: Activity(
        N_("Each stamp, purchase and reward with its time and store, and the amount where points are given."),
        CONTRACT,
        LEDGER,
    ),
    privacy.NOTES: Activity(
        N_("Reasons of corrections; where the platform allows it, the network address of the shop's tablet."),
        INTEREST,
        WHILE_CUSTOMER,
    ),
    privacy.MAILS: Activity(
        N_("Which mails were sent, when, to which address, and whether they arrived."), CONTRACT, WHILE_CUSTOMER
    ),
    privacy.ONCE: Activity(N_("Digests of requests, from which nobody can be read."), INTEREST, DAY_OR_MONTH),
    privacy.PHONES: Activity(
        N_("The identifier and the push address that a phone gives for the pass."), CONTRACT, PHONE
    ),
    privacy.VISITS: Activity(N_("Days of visits, counted for the statistics."), INTEREST, LEDGER),
    privacy.FORGETTING: Activity(
        N_("When the customer asked to be forgotten, or is forgotten for want of visits."), DUTY, WHILE_CUSTOMER
    ),
    privacy.RECORD: Activity(N_("Who in the shop changed something about the customer."), INTEREST, WHILE_CUSTOMER),
}
# Beside customers: those who work with the till and the office.
STAFF_PURPOSE: Final = N_("To let staff work at the till and in the office, and to show who did what.")
STAFF: Final = Activity(
    N_("Names and roles of staff, digests of their PINs and passwords, sign-ins, and who did what at the till."),
    INTEREST,
    N_("As long as somebody works here; what they did stays in the history."),
)
RECIPIENTS: Final = (
    N_("Whoever runs this platform, on the shop's behalf."),
    N_("Apple and Google, where the customer adds the card to a wallet: what stands on the pass, and no name."),
    N_("The provider that carries the mails."),
    N_("The shop's own software, where it is connected."),
)
MEASURES: Final = (
    N_("Every shop sees its own customers only, and each person in it no more than the role needs."),
    N_("Passwords, PINs and keys are stored as digests; connections are encrypted."),
    N_("The history cannot be changed unnoticed, and what people do by hand is written down."),
    N_("Whoever was forgotten is forgotten again where a copy for emergencies is used."),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the record: a purpose, what is said about it, and the columns that hold it."""

    purpose: str
    activity: Activity
    columns: tuple[str, ...]


def entries() -> list[Entry]:
    """List the purposes for which something is kept about customers, in the registry's order, with all columns."""
    found: dict[str, list[str]] = {}
    for name, table in REGISTRY.items():
        for column, personal in table.of_customers.items():
            found.setdefault(personal.purpose, []).append(f"{name}.{column}")
    return [Entry(purpose, ACTIVITIES[purpose], tuple(columns)) for purpose, columns in found.items()]


def staff_columns() -> tuple[str, ...]:
    """List the columns about people who work here."""
    return tuple(f"{name}.{column}" for name, table in REGISTRY.items() for column in sorted(table.of_staff))
