"""The tables: columns, constraints, no behaviour. Importing the package registers all of them."""

from loyalty.models import (
    api,
    audit,
    cards,
    customers,
    google,
    health,
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
    "api",
    "audit",
    "cards",
    "customers",
    "google",
    "health",
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
