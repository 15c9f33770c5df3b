"""The chain of a card's ledger: each row's hash covers its columns and the hash of the row before."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

GENESIS: Final = "0" * 64
ENTRY_VERSION: Final = 1

# What each version of a row hashes, in this order. A new column is a new version; old rows keep theirs.
ENTRY_COLUMNS: Final[dict[int, tuple[str, ...]]] = {
    1: (
        "id",
        "card_id",
        "vendor_id",
        "store_id",
        "seq",
        "transaction_type",
        "stamps_delta",
        "points_delta",
        "stamps_balance_after",
        "points_balance_after",
        "purchase_amount_cents",
        "order_reference",
        "reward_id",
        "reward_description",
        "related_transaction_id",
        "local_day",
        "staff_pin_id",
        "terminal_id",
        "user_id",
        "api_key_id",
        "idempotency_key",
        "transaction_at",
    )
}

# Every row that is verified goes through these: one encoder for all, and most columns are plain already.
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_PLAIN: Final = (str, int, type(None))


def entry_hash(version: int, previous: str, entry: Mapping[str, object]) -> str:
    """Return the SHA-256, as 64 hex digits, of a row that follows the row whose hash is `previous`.

    Raises KeyError for a version that this release does not know.
    """
    values = [_canonical(entry[column]) for column in ENTRY_COLUMNS[version]]
    return text_hash(version, previous, _encode(values)[1:-1])


def text_hash(version: int, previous: str, values: str) -> str:
    """Return the same of a row whose values stand as JSON already, in the version's order and with commas between."""
    return hashlib.sha256(f'[{version},"{previous}",{values}]'.encode()).hexdigest()


def _canonical(value: object) -> object:
    """Numbers as numbers, null as null, ids and text as text, times as UTC with six digits and Z, dates as ISO."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"
    if isinstance(value, date):
        return value.isoformat()
    return value
