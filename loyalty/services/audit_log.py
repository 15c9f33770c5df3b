"""Reading the audit log: who did what by hand, across all vendors, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from loyalty.database import AnyRow, db
from loyalty.domain.values import Actor, Admin, Role
from loyalty.errors import N_, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.models.users import User
from loyalty.models.vendors import Vendor
from loyalty.services import roles

PAGE: Final = 50
_LAST_DAY: Final = date(9999, 12, 31)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilters:
    """Which events: a part of an e-mail address, the beginning of an action, a vendor's code or a part of its name,
    and days of UTC's calendar."""

    person: str = ""
    action: str = ""
    vendor: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event; `by` says what acted: a person, staff at the till, a tablet, a key, or the platform itself."""

    event_id: UUID
    at: datetime
    vendor_id: UUID | None
    vendor_name: str | None
    by: str
    email: str | None
    action: str
    subject_type: str
    subject_id: str
    details: Mapping[str, object]
    on_behalf: bool


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of events; `older` continues it, None at the end."""

    rows: tuple[AuditEntry, ...]
    older: UUID | None


def list_page(*, admin: Admin, filters: AuditFilters, before: UUID | None = None) -> AuditPage:
    """List events, those before the one with this id; `admin` is who asks for the platform."""
    if filters.since and filters.until and filters.since > filters.until:
        raise ValidationError({"until": N_("The last day is before the first one.")})
    return _page(before, *_conditions(filters))


def list_of_platform(*, actor: Actor, before: UUID | None = None) -> AuditPage:
    """List what the platform did at a vendor, for its owner; of many cards switched together the one event."""
    roles.require(actor=actor, role=Role.OWNER)
    is_part = AuditEvent.details.has_key("bulk")
    return _page(before, AuditEvent.vendor_id == actor.vendor_id, AuditEvent.on_behalf.is_(True), ~is_part)


def _page(before: UUID | None, *conditions: ColumnElement[bool]) -> AuditPage:
    # Ids are ordered by time, so the primary key alone leads through the log.
    query = (
        select(AuditEvent, User.email, Vendor.name)
        .outerjoin(User, User.id == AuditEvent.user_id)
        .outerjoin(Vendor, Vendor.id == AuditEvent.vendor_id)
        .where(*conditions)
        .order_by(AuditEvent.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        query = query.where(AuditEvent.id < before)
    rows = [_entry(row) for row in db.session.execute(query)]
    return AuditPage(tuple(rows[:PAGE]), rows[PAGE - 1].event_id if len(rows) > PAGE else None)


def _conditions(filters: AuditFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.person:
        found.append(User.email.icontains(filters.person, autoescape=True))
    if filters.action:
        found.append(AuditEvent.action.istartswith(filters.action, autoescape=True))
    if filters.vendor:
        found.append(or_(Vendor.code == filters.vendor.lower(), Vendor.name.icontains(filters.vendor, autoescape=True)))
    if filters.since:
        found.append(AuditEvent.created_at >= _midnight(filters.since))
    if filters.until and filters.until < _LAST_DAY:
        found.append(AuditEvent.created_at < _midnight(filters.until + timedelta(days=1)))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _entry(row: AnyRow) -> AuditEntry:
    event, email, vendor_name = row
    return AuditEntry(
        event_id=event.id,
        at=event.created_at,
        vendor_id=event.vendor_id,
        vendor_name=vendor_name,
        by=_kind(event),
        email=email,
        action=event.action,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        details=event.details,
        on_behalf=event.on_behalf,
    )


def _kind(event: AuditEvent) -> str:
    acted = {
        "person": event.user_id,
        "key": event.api_key_id,
        "staff": event.staff_pin_id,
        "tablet": event.terminal_id,
    }
    return next((kind for kind, actor_id in acted.items() if actor_id), "platform")
