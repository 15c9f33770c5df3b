"""Once per key: the answer is stored in the transaction of its effect and given again to whoever asks again."""

import hashlib
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar, cast
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import CursorResult, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from loyalty.database import AnyRow, Base, db, transaction
from loyalty.domain.values import RequestKey
from loyalty.errors import IdempotencyInProgress, IdempotencyKeyReused
from loyalty.models.idempotency import IdempotencyKey

LOCK_NOT_AVAILABLE = "55P03"
UNIQUE_VIOLATION = "23505"
PRIMARY_KEY = "pk_idempotency_keys"

# Put together once: values come with each execution.
_STORE = insert(Base.metadata.tables["idempotency_keys"]).values(created_at=func.clock_timestamp())


class Receipt(Protocol):
    """A frozen dataclass that answers a command; fields with `metadata={"secret": True}` are not stored."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def replayed(self) -> bool:
        """Whether this answer was given before."""
        ...


R = TypeVar("R", bound=Receipt)


def find(key: RequestKey, receipt: type[R]) -> R | None:
    """Return the answer that was given under this key, None for a new one; another request under it is refused."""
    row = db.session.execute(
        select(IdempotencyKey.request_hash, IdempotencyKey.receipt).where(
            IdempotencyKey.caller == key.caller, IdempotencyKey.key == key.key
        )
    ).one_or_none()
    return read(row, key, receipt) if row else None


def is_answered(key: RequestKey) -> bool:
    """Whether an answer is stored under this key, whatever was asked."""
    mine = (IdempotencyKey.caller == key.caller, IdempotencyKey.key == key.key)
    return db.session.execute(select(IdempotencyKey.created_at).where(*mine)).one_or_none() is not None


def read(row: AnyRow, key: RequestKey, receipt: type[R]) -> R:
    """Turn a stored row (`request_hash`, `receipt`) into the answer, or refuse a key that asked for something else."""
    if row.request_hash != key.request_hash:
        raise IdempotencyKeyReused
    answer: R = replace(_adapter(receipt).validate_python(row.receipt), replayed=True)
    return answer


def store(key: RequestKey, answer: Receipt, *, vendor_id: UUID | None) -> None:
    """Store an answer: the last INSERT of its transaction."""
    kind = type(answer)
    stored = _adapter(kind).dump_python(answer, mode="json", exclude={"replayed"})
    stored.update({field.name: None for field in fields(kind) if field.metadata.get("secret")})
    asked = {"caller": key.caller, "key": key.key, "vendor_id": vendor_id, "request_hash": key.request_hash}
    db.session.execute(_STORE, {**asked, "status": 200, "receipt": stored})


def run(key: RequestKey, receipt: type[R], work: Callable[[], R], *, vendor_id: UUID | None = None) -> R:
    """Do a command that locks no card once per key: its twin waits for the first and gets the same answer."""

    def locked() -> R:
        db.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _lock_number(key)})
        if answered := find(key, receipt):
            return answered
        answer = work()
        store(key, answer, vendor_id=vendor_id)
        return answer

    return in_transaction(key, receipt, locked)


def delete_older(*, before: datetime) -> int:
    """Delete answers that were given before a time; returns how many."""
    with transaction():
        deleted = db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before))
    return int(cast(CursorResult[Any], deleted).rowcount)


def in_transaction(key: RequestKey, receipt: type[R], work: Callable[[], R]) -> R:
    """Run a transaction that ends by storing its answer; where a twin was faster, look once more for its answer."""
    try:
        with transaction():
            return work()
    except DBAPIError as error:
        if not _is_twin(error):
            raise
        # Rolled back: nothing of ours was written. The twin has committed by now, or is still at work.
        if answered := find(key, receipt):
            return answered
        raise IdempotencyInProgress from error


def constraint_of(error: DBAPIError) -> str | None:
    """Return the name of the constraint or unique index that refused a statement."""
    name: str | None = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return name


def _is_twin(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state == UNIQUE_VIOLATION:
        return constraint_of(error) == PRIMARY_KEY
    return state == LOCK_NOT_AVAILABLE


def _lock_number(key: RequestKey) -> int:
    digest = hashlib.sha256(f"{key.caller}\0{key.key}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


@cache
def _adapter(receipt: type[Any]) -> TypeAdapter[Any]:  # one adapter serves all receipts of its class
    return TypeAdapter(receipt)
