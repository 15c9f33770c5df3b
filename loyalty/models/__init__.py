"""The tables: columns, constraints, no behaviour. Importing the package registers all of them."""

from loyalty.models import (
    audit,
    cards,
    customers,
    google,
    idempotency,
    mail,
    outbox,
    passes,
    pins,
    programs,
    terminals,
    transactions,
    users,
    vendors,
)

__all__ = [
    "audit",
    "cards",
    "customers",
    "google",
    "idempotency",
    "mail",
    "outbox",
    "passes",
    "pins",
    "programs",
    "terminals",
    "transactions",
    "users",
    "vendors",
]
