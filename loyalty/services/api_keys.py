"""Keys of the JSON API: which program acts with one, and making, replacing and ending them.

Only owners do that, and the platform for its own keys. A key is shown once; what is stored is its hash.
"""

import secrets
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, insert, or_, select, update

from loyalty.database import AnySelect, clock, db, new_id
from loyalty.domain import bounds, settings
from loyalty.domain.values import Actor, Admin, RequestKey, Role, Scope
from loyalty.errors import N_, Forbidden, NotFound, ValidationError
from loyalty.models.api import ApiKey, ApiKeySecret, ApiKeyStore
from loyalty.models.vendors import Store
from loyalty.services import audit, idempotency
from loyalty.services.key_holders import digest

# How long the old key works on beside a new one: until everything that holds it has been told.
OVERLAPS: Final = {"now": timedelta(), "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}

_LETTERS: Final = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be shown once; an answer that is given again comes without it. `old_ends_at` is of the one before."""

    api_key_id: UUID
    name: str
    api_key: str | None = field(default=None, metadata={"secret": True})
    old_ends_at: datetime | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Which key was revoked."""

    api_key_id: UUID
    name: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One live text of a key, by the letters in it that are no secret."""

    code: str
    created_at: datetime
    last_used_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as the office lists it; `state` is "live", "expired" or "revoked"; without stores it works at all."""

    api_key_id: UUID
    name: str
    scope: Scope
    state: str
    stores: tuple[str, ...]
    requests_per_minute: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    secrets: tuple[SecretRow, ...]


def list_all(*, actor: Actor | Admin) -> list[KeyRow]:
    """List the vendor's keys (an admin: those of the platform), the live ones first."""
    _require_owner(actor)
    at = clock()
    found = {row.id: row for row in db.session.scalars(_mine(actor).order_by(ApiKey.created_at.desc(), ApiKey.id))}
    texts: dict[UUID, list[SecretRow]] = {api_key_id: [] for api_key_id in found}
    stores: dict[UUID, list[str]] = {api_key_id: [] for api_key_id in found}
    for row in db.session.execute(_secrets_of(found, at)):
        texts[row.api_key_id].append(SecretRow(row.code, row.created_at, row.last_used_at, row.ends_at))
    for row in db.session.execute(_stores_of(found)):
        stores[row.api_key_id].append(row.name)
    rows = [_row(key, texts[key.id], stores[key.id], at) for key in found.values()]
    return sorted(rows, key=lambda row: row.state != "live")


def create(
    *,
    actor: Actor | Admin,
    name: str,
    scope: Scope,
    store_ids: Sequence[UUID] = (),
    requests_per_minute: int | None = None,
    expires_at: datetime | None = None,
    key: RequestKey,
) -> NewKey:
    """Make a key and show it, once."""
    _require_owner(actor)
    _check(actor, name, scope, store_ids, requests_per_minute)

    def work() -> NewKey:
        api_key_id, vendor_id = new_id(), _vendor_of(actor)
        row = ApiKey(
            id=api_key_id,
            vendor_id=vendor_id,
            name=name.strip(),
            scope=scope.value,
            requests_per_minute=requests_per_minute,
            expires_at=expires_at,
        )
        db.session.add(row)
        db.session.flush()
        _limit_to(actor, api_key_id, store_ids)
        text = _make_secret(api_key_id)
        _record(actor, "api_key.created", api_key_id, scope=scope.value)
        return NewKey(api_key_id, row.name, text)

    return idempotency.run(key, NewKey, work, vendor_id=_vendor_of(actor))


def rotate(*, actor: Actor | Admin, api_key_id: UUID, overlap: str = "day", key: RequestKey) -> NewKey:
    """Give a key a new text; the old one works on for a while, so that nothing stands still."""
    _require_owner(actor)
    if overlap not in OVERLAPS:
        raise ValidationError({"overlap": N_("Choose one of the list.")})

    def work() -> NewKey:
        row = _lock(actor, api_key_id)
        ends_at = clock() + OVERLAPS[overlap]
        _end_secrets(api_key_id, ends_at)
        text = _make_secret(api_key_id)
        _record(actor, "api_key.rotated", api_key_id, old_ends_at=ends_at.isoformat())
        return NewKey(api_key_id, row.name, text, ends_at)

    return idempotency.run(key, NewKey, work, vendor_id=_vendor_of(actor))


def revoke(*, actor: Actor | Admin, api_key_id: UUID, key: RequestKey) -> KeyChange:
    """End a key with all its texts: its next request is refused."""
    _require_owner(actor)

    def work() -> KeyChange:
        row = _lock(actor, api_key_id)
        row.revoked_at = clock()
        _record(actor, "api_key.revoked", api_key_id)
        return KeyChange(api_key_id, row.name)

    return idempotency.run(key, KeyChange, work, vendor_id=_vendor_of(actor))


def _require_owner(actor: Actor | Admin) -> None:
    if isinstance(actor, Actor) and actor.role < Role.OWNER:
        raise Forbidden


def _vendor_of(actor: Actor | Admin) -> UUID | None:
    return actor.vendor_id if isinstance(actor, Actor) else None


def _check(
    actor: Actor | Admin, name: str, scope: Scope, store_ids: Sequence[UUID], requests_per_minute: int | None
) -> None:
    errors = {
        field: str(problem) for field, problem in settings.find_problems(settings.API_KEY, {"name": name}).items()
    }
    if (scope is Scope.PLATFORM) != isinstance(actor, Admin):
        errors["scope"] = N_("Choose one of the list.")
    if scope.at_stores(limited=bool(store_ids)) is not scope:
        errors["scope"] = N_("A key that manages works at all stores: it changes the whole shop.")
    least, most = bounds.REQUESTS_PER_MINUTE
    if requests_per_minute is not None and not least <= requests_per_minute <= most:
        errors["requests_per_minute"] = N_("Enter a number from 1 to 100000.")
    if errors:
        raise ValidationError(errors)


def _limit_to(actor: Actor | Admin, api_key_id: UUID, store_ids: Sequence[UUID]) -> None:
    wanted = set(store_ids)
    vendor_id = _vendor_of(actor)
    mine = select(Store.id).where(Store.vendor_id == vendor_id, Store.id.in_(wanted))
    if wanted and set(db.session.scalars(mine)) != wanted:
        raise ValidationError({"stores": N_("Choose one of the list.")})
    for store_id in sorted(wanted):
        db.session.add(ApiKeyStore(api_key_id=api_key_id, store_id=store_id, vendor_id=vendor_id))


def _make_secret(api_key_id: UUID) -> str:
    """Make the text of a key and store its hash; returns the text, which is stored nowhere."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(8))
    text = f"lp_{code}_{secrets.token_urlsafe(32)}"
    db.session.execute(
        insert(ApiKeySecret).values(code=code, api_key_id=api_key_id, secret_hash=digest(text), created_at=clock())
    )
    return text


def _end_secrets(api_key_id: UUID, ends_at: datetime) -> None:
    """Let the present text of a key end at a time, and one that was ending already at once: at most two live."""
    mine, now = ApiKeySecret.api_key_id == api_key_id, clock()
    ending = update(ApiKeySecret).where(mine, ApiKeySecret.ends_at > now).values(ends_at=now)
    present = update(ApiKeySecret).where(mine, ApiKeySecret.ends_at.is_(None)).values(ends_at=ends_at)
    for change in (ending, present):
        db.session.execute(change)


def _lock(actor: Actor | Admin, api_key_id: UUID) -> ApiKey:
    """Lock a key that is not revoked."""
    mine = _mine(actor).where(ApiKey.id == api_key_id, ApiKey.revoked_at.is_(None)).with_for_update()
    row = db.session.scalar(mine.execution_options(populate_existing=True))
    if row is None:
        raise NotFound
    return row


def _mine(actor: Actor | Admin) -> Select[ApiKey]:
    return select(ApiKey).where(ApiKey.vendor_id.is_not_distinct_from(_vendor_of(actor)))


def _secrets_of(api_key_ids: Iterable[UUID], at: datetime) -> AnySelect:
    live = or_(ApiKeySecret.ends_at.is_(None), ApiKeySecret.ends_at > at)
    return (
        select(*ApiKeySecret.__table__.c)
        .where(ApiKeySecret.api_key_id.in_(api_key_ids), live)
        .order_by(ApiKeySecret.created_at.desc())
    )


def _stores_of(api_key_ids: Iterable[UUID]) -> AnySelect:
    return (
        select(ApiKeyStore.api_key_id, Store.name)
        .join(Store, Store.id == ApiKeyStore.store_id)
        .where(ApiKeyStore.api_key_id.in_(api_key_ids))
        .order_by(Store.name)
    )


def _record(actor: Actor | Admin, action: str, api_key_id: UUID, **details: object) -> None:
    audit.record(actor=actor, action=action, subject_type="api_key", subject_id=api_key_id, details=details)


def _row(key: ApiKey, texts: list[SecretRow], stores: list[str], at: datetime) -> KeyRow:
    expired = (key.expires_at is not None and key.expires_at <= at) or not texts
    return KeyRow(
        api_key_id=key.id,
        name=key.name,
        scope=Scope(key.scope).at_stores(limited=bool(stores)),
        state="revoked" if key.revoked_at else "expired" if expired else "live",
        stores=tuple(stores),
        requests_per_minute=key.requests_per_minute,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=max((text.last_used_at for text in texts if text.last_used_at), default=None),
        secrets=tuple(texts),
    )
