"""Lists that leave the house as files: exactly what a filter shows, and it is written down who took them."""

from collections.abc import Iterator
from dataclasses import asdict

from loyalty.database import transaction
from loyalty.domain.values import Actor
from loyalty.services import audit, card_lists, transaction_table
from loyalty.services.card_lists import CardRow
from loyalty.services.transaction_lists import Filters
from loyalty.services.transaction_table import Line


def export_transactions(*, actor: Actor, filters: Filters) -> Iterator[Line]:
    """Read all transactions that pass the filters, newest first, however many there are."""
    lines = transaction_table.stream(actor=actor, filters=filters)
    used = {name: str(value) for name, value in asdict(filters).items() if value is not None}
    # Whose card it was is somebody's own affair; that one card was asked for is not.
    _record(actor, "transactions.exported", used | dict.fromkeys(used.keys() & {"card_number"}, "one"))
    return lines


def export_customers(*, actor: Actor, text: str = "", show: str = "all") -> Iterator[CardRow]:
    """Read all cards that fit what was typed and chosen, newest first."""
    rows = card_lists.stream(actor=actor, text=text, show=show)
    _record(actor, "customers.exported", {"show": show, "searched": bool(text.strip())})
    return rows


def _record(actor: Actor, action: str, details: dict[str, object] | dict[str, str]) -> None:
    with transaction():
        audit.record(
            actor=actor, action=action, subject_type="vendor", subject_id=actor.vendor_id, details=dict(details)
        )
