"""The stores of a vendor: cards work at all of them."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, select

from loyalty.database import db, new_id
from loyalty.domain import settings
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import N_, NotFound, ValidationError
from loyalty.models.terminals import Terminal
from loyalty.models.vendors import Store, Vendor
from loyalty.services import audit, google_passes, idempotency, passes, roles


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A store as the office shows it, with the number of tablets that are paired with it."""

    store_id: UUID
    code: str
    name: str
    address: str
    latitude: float | None
    longitude: float | None
    active: bool
    terminals: int = 0


@dataclass(frozen=True, slots=True)
class StoreReceipt:
    """Which store a command was about."""

    store_id: UUID
    code: str
    name: str
    active: bool
    replayed: bool = False


def list_all(*, actor: Actor) -> list[StoreRow]:
    """List the vendor's stores by name, the open ones first."""
    roles.require(actor=actor, role=Role.MANAGER)
    tablets = (
        select(Terminal.store_id, func.count().label("number"))
        .where(Terminal.vendor_id == actor.vendor_id, Terminal.paired_at.is_not(None), Terminal.revoked_at.is_(None))
        .group_by(Terminal.store_id)
        .subquery()
    )
    rows = db.session.execute(
        select(Store, func.coalesce(tablets.c.number, 0))
        .outerjoin(tablets, tablets.c.store_id == Store.id)
        .where(Store.vendor_id == actor.vendor_id)
        .order_by(Store.active.desc(), Store.name, Store.id)
    )
    return [_row(store, number) for store, number in rows]


def get(*, actor: Actor, store_id: UUID) -> StoreRow:
    """Get one store of the vendor."""
    for store in list_all(actor=actor):
        if store.store_id == store_id:
            return store
    raise NotFound


def create(*, actor: Actor, details: Mapping[str, object], key: RequestKey) -> StoreReceipt:
    """Open a store; without a code it gets one made of its name, which then stays."""
    roles.require(actor=actor, role=Role.MANAGER)
    given = {"name": None, **details}
    chosen = given.pop("code", None)
    cleaned = settings.clean(settings.STORE, given | ({"code": chosen} if chosen else {}))

    def work() -> StoreReceipt:
        # The vendor's row: two new stores never take the same code.
        db.session.execute(select(Vendor.id).where(Vendor.id == actor.vendor_id).with_for_update())
        taken = set(db.session.scalars(select(Store.code).where(Store.vendor_id == actor.vendor_id)))
        code = str(cleaned.pop("code", "")) or _free_code(str(cleaned["name"]), taken)
        if code in taken:
            raise ValidationError({"code": N_("Another store has this short name already.")})
        store = Store(id=new_id(), vendor_id=actor.vendor_id, code=code, active=True, **cleaned)
        db.session.add(store)
        db.session.flush()
        return _done(actor, "store.created", store)

    return idempotency.run(key, StoreReceipt, work, vendor_id=actor.vendor_id)


def change(*, actor: Actor, store_id: UUID, details: Mapping[str, object], key: RequestKey) -> StoreReceipt:
    """Change a store's name, address or place; its code stays, for it is printed on posters."""
    roles.require(actor=actor, role=Role.MANAGER)
    if "code" in details:
        raise ValidationError({"code": N_("The short name of a store stays as it is.")})
    cleaned = settings.clean(settings.STORE, details)

    def work() -> StoreReceipt:
        store = _lock(actor, store_id)
        for name, value in cleaned.items():
            setattr(store, name, value)
        return _done(actor, "store.changed", store)

    return idempotency.run(key, StoreReceipt, work, vendor_id=actor.vendor_id)


def deactivate(*, actor: Actor, store_id: UUID, key: RequestKey) -> StoreReceipt:
    """Close a store that has no tablet any more; its history stays."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> StoreReceipt:
        store = _lock(actor, store_id)
        if get(actor=actor, store_id=store_id).terminals:
            raise ValidationError({"store": N_("Revoke the tablets of this store first.")})
        store.active = False
        return _done(actor, "store.deactivated", store)

    return idempotency.run(key, StoreReceipt, work, vendor_id=actor.vendor_id)


def reactivate(*, actor: Actor, store_id: UUID, key: RequestKey) -> StoreReceipt:
    """Open a closed store again."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> StoreReceipt:
        store = _lock(actor, store_id)
        store.active = True
        return _done(actor, "store.reactivated", store)

    return idempotency.run(key, StoreReceipt, work, vendor_id=actor.vendor_id)


def make_code(name: str) -> str:
    """Return the word for an address that a name suggests: "Café Um Eck" becomes "cafe-um-eck"."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    code = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:36].strip("-")
    return code if len(code) >= 2 else "store"


def _free_code(name: str, taken: set[str]) -> str:
    wish = make_code(name)
    codes = (wish, *(f"{wish}-{number}" for number in range(2, len(taken) + 3)))
    return next(code for code in codes if code not in taken)


def _lock(actor: Actor, store_id: UUID) -> Store:
    store = db.session.scalar(_mine(actor, store_id))
    if store is None:
        raise NotFound
    return store


def _mine(actor: Actor, store_id: UUID) -> Select[Store]:
    return (
        select(Store)
        .where(Store.vendor_id == actor.vendor_id, Store.id == store_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _row(store: Store, terminals: int) -> StoreRow:
    return StoreRow(
        store_id=store.id,
        code=store.code,
        name=store.name,
        address=store.address,
        latitude=store.latitude,
        longitude=store.longitude,
        active=store.active,
        terminals=terminals,
    )


def _done(actor: Actor, action: str, store: Store) -> StoreReceipt:
    google_passes.program_changed(vendor_id=actor.vendor_id)
    passes.program_changed(vendor_id=actor.vendor_id)
    audit.record(actor=actor, action=action, subject_type="store", subject_id=store.id, details={"code": store.code})
    return StoreReceipt(store.id, store.code, store.name, store.active)
