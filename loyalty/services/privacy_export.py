"""Everything that is known about a customer, in one ZIP: JSON as it is kept, and CSV for a spreadsheet."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from loyalty.database import AnyRow, Base, db
from loyalty.domain.privacy import REGISTRY
from loyalty.domain.spreadsheets import BOM, as_kept, plain
from loyalty.domain.values import Actor, Admin, RequestKey, Role
from loyalty.errors import NotFound
from loyalty.models.customers import Customer
from loyalty.models.vendors import Vendor
from loyalty.services import audit, idempotency, privacy_rows, roles, same_person

Row = dict[str, Any]  # columns of all types
Say = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ExportReceipt:
    """Whose data was handed out."""

    customer_id: UUID
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """A file to download."""

    file_name: str
    content: bytes


def export(*, actor: Actor | Admin, customer_id: UUID, key: RequestKey, say: Say, at: datetime) -> Export:
    """Collect what is known about a person, also as another customer with whom the office brought them together.

    Who asked is in the audit log, once per key. `say` translates.
    """
    if isinstance(actor, Actor):
        roles.require(actor=actor, role=Role.MANAGER)
    shop = _shop(actor.vendor_id if isinstance(actor, Actor) else None, customer_id)
    same = same_person.find_all(vendor_id=shop.vendor_id, customer_id=customer_id)
    return _export(actor, shop, same, key, say, at)


def export_own(*, vendor_id: UUID, customer_id: UUID, key: RequestKey, say: Say, at: datetime) -> Export:
    """Collect it for a customer who has proven the address: what is known with it, and nothing of another address."""
    themselves = Actor(vendor_id=vendor_id, role=Role.STAFF)
    return _export(themselves, _shop(vendor_id, customer_id), [customer_id], key, say, at)


def _shop(vendor_id: UUID | None, customer_id: UUID) -> AnyRow:
    """Read whose customer it is; another vendor's is not found."""
    known = select(Customer.id, Customer.vendor_id, Vendor.name).join(Vendor, Vendor.id == Customer.vendor_id)
    shop = db.session.execute(known.where(Customer.id == customer_id, Customer.erased_at.is_(None))).one_or_none()
    if shop is None or vendor_id not in (None, shop.vendor_id):
        raise NotFound
    return shop


def _export(
    who: Actor | Admin, shop: AnyRow, customer_ids: Sequence[UUID], key: RequestKey, say: Say, at: datetime
) -> Export:
    def work() -> ExportReceipt:
        for each in customer_ids:
            subject = {"subject_type": "customer", "subject_id": each, "vendor_id": shop.vendor_id}
            audit.record(actor=who, action="customer.exported", **subject)
        return ExportReceipt(shop.id)

    idempotency.run(key, ExportReceipt, work, vendor_id=shop.vendor_id)
    tables = _read(shop.vendor_id, customer_ids)
    head = {"shop": shop.name, "made_at": at, "purposes": _purposes(tables, say)}
    return Export(f"customer-{at:%Y-%m-%d}.zip", _zip(head, tables, at))


def _read(vendor_id: UUID, customer_ids: Sequence[UUID]) -> Mapping[str, list[Row]]:
    emails = select(Customer.id, Customer.email).where(Customer.id.in_(customer_ids)).order_by(Customer.id)
    people = [
        privacy_rows.find_person(vendor_id=vendor_id, customer_id=row.id, email=row.email)
        for row in db.session.execute(emails)
    ]
    theirs = [privacy_rows.conditions(person) for person in people]
    found = {}
    for name, described in REGISTRY.items():
        columns = [column for column, personal in described.of_customers.items() if personal.exported]
        if not columns:
            continue
        table = Base.metadata.tables[name]
        # Ids lie in order of time.
        query = select(*(table.c[column] for column in columns)).where(or_(*(each[name] for each in theirs)))
        found[name] = [dict(row._mapping) for row in db.session.execute(query.order_by(*table.primary_key))]
    return found


def _purposes(tables: Mapping[str, list[Row]], say: Say) -> Mapping[str, Mapping[str, str]]:
    return {
        name: {column: say(kept.purpose) for column, kept in REGISTRY[name].of_customers.items() if kept.exported}
        for name in tables
    }


def _zip(head: Row, tables: Mapping[str, list[Row]], at: datetime) -> bytes:
    files = {"data.json": json.dumps(head | {"data": tables}, ensure_ascii=False, indent=2, default=plain)}
    files |= {f"{name}.csv": _csv(rows) for name, rows in tables.items() if rows}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, at.timetuple()[:6]), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _csv(rows: list[Row]) -> str:
    """Write a table; the mark at its beginning tells spreadsheets that this is UTF-8."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(rows[0])
    table.writerows([as_kept(value) for value in row.values()] for row in rows)
    return BOM + text.getvalue()
