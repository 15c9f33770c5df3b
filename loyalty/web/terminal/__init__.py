"""The till: what staff do at the counter, on a tablet that is paired with one store."""

from loyalty.web.terminal import (
    cards,
    enrolment,
    lookup,
    pairing,
    points,
    redemptions,
    refusals,
    session,
    settings,
    shell,
    stamps,
    transactions,
)
from loyalty.web.terminal.blueprint import blueprint

__all__ = [
    "blueprint",
    "cards",
    "enrolment",
    "lookup",
    "pairing",
    "points",
    "redemptions",
    "refusals",
    "session",
    "settings",
    "shell",
    "stamps",
    "transactions",
]
