"""The program behind a request: which key it holds, for whom it acts, and at which stores."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from loyalty.database import AnyRow, db, transaction
from loyalty.domain.values import Actor, RequestKey, Scope
from loyalty.errors import N_, StoreNotAllowed, ValidationError
from loyalty.models.api import ApiKey, ApiKeySecret, ApiKeyStore
from loyalty.models.vendors import Store, Vendor
from loyalty.services import idempotency

_SHAPE: Final = re.compile(r"lp_([a-z0-9]{8})_[A-Za-z0-9_-]{43}", re.ASCII)
# A program asks all day; when it did last is worth one write a minute.
_USED_AGAIN: Final = timedelta(minutes=1)


class StoreOfOtherKeys(StoreNotAllowed):
    """The key is limited to other stores."""

    sentence = N_("This key may not be used for this store.")


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A live key and its vendor, as the present request finds them; `status` is the vendor's.

    `only_store_id` is the one store where the key can be at work, None where there are several.
    """

    api_key_id: UUID
    scope: Scope
    vendor_id: UUID | None
    status: str | None
    only_store_id: UUID | None
    requests_per_minute: int | None


# Whether a key may be at work at a store: it is limited to it, or to none.
_LIMIT: Final = select(ApiKeyStore.store_id).where(ApiKeyStore.api_key_id == ApiKey.id)
_LIMITED: Final = _LIMIT.correlate(ApiKey).exists()
_ALLOWED: Final = or_(~_LIMITED, _LIMIT.where(ApiKeyStore.store_id == Store.id).correlate(ApiKey, Store).exists())
_ONLY_STORE: Final = (
    select(func.array_agg(aggregate_order_by(Store.id, Store.id))[1])
    .where(Store.vendor_id == ApiKey.vendor_id, Store.active.is_(True), _ALLOWED)
    .having(func.count() == 1)
    .correlate(ApiKey)
    .scalar_subquery()
)
# Built once: every request of a program begins with it.
_FACTS: Final = (
    select(
        ApiKey.id,
        ApiKey.scope,
        ApiKey.vendor_id,
        ApiKey.requests_per_minute,
        ApiKey.expires_at,
        ApiKey.revoked_at,
        ApiKeySecret.secret_hash,
        ApiKeySecret.ends_at,
        ApiKeySecret.last_used_at,
        Vendor.status,
        _ONLY_STORE.label("only_store_id"),
        _LIMITED.label("limited"),
    )
    .join(ApiKey, ApiKey.id == ApiKeySecret.api_key_id)
    .outerjoin(Vendor, Vendor.id == ApiKey.vendor_id)
    .where(ApiKeySecret.code == bindparam("code"))
)


def authenticate(*, api_key: str, at: datetime) -> KeyFacts | None:
    """Find the live key whose text this is; asked anew at every request, so that a revoked one ends at once."""
    shape = _SHAPE.fullmatch(api_key)
    if shape is None:
        return None
    row = db.session.execute(_FACTS, {"code": shape[1]}).one_or_none()
    if row is None or not hmac.compare_digest(row.secret_hash, digest(api_key)) or _is_over(row, at):
        return None
    if row.last_used_at is None or at - row.last_used_at >= _USED_AGAIN:
        _touch(shape[1], at)
    scope = Scope(row.scope).at_stores(limited=row.limited)
    return KeyFacts(row.id, scope, row.vendor_id, row.status, row.only_store_id, row.requests_per_minute)


def get_store_id(*, actor: Actor, code: str, key: RequestKey | None = None) -> UUID:
    """Get the open store of the vendor that a program names, if its key may be at work there.

    A closed one, too, where an answer is stored under `key`: that is given again, and nothing else happens there.
    """
    query = select(Store.id, Store.active, _ALLOWED.label("allowed")).join(ApiKey, ApiKey.id == actor.api_key_id)
    store = db.session.execute(query.where(Store.vendor_id == actor.vendor_id, Store.code == code)).one_or_none()
    if store is None or not (store.active or (key is not None and idempotency.is_answered(key))):
        raise ValidationError({"store_code": N_("No open store of this shop has this code.")})
    if not store.allowed:
        raise StoreOfOtherKeys
    return UUID(str(store.id))


def digest(api_key: str) -> str:
    """Hash a key: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(api_key.encode()).hexdigest()


def _is_over(row: AnyRow, at: datetime) -> bool:
    ends = [time for time in (row.expires_at, row.ends_at) if time is not None]
    return row.revoked_at is not None or any(time <= at for time in ends)


def _touch(code: str, at: datetime) -> None:
    with transaction():
        # Again only where nobody else has noted it meanwhile.
        stale = or_(ApiKeySecret.last_used_at.is_(None), ApiKeySecret.last_used_at <= at - _USED_AGAIN)
        db.session.execute(update(ApiKeySecret).where(ApiKeySecret.code == code, stale).values(last_used_at=at))
