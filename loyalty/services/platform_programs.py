"""The programs of the platform, across vendors."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, tuple_

from loyalty.database import AnyRow, db
from loyalty.domain.values import Admin, Position
from loyalty.errors import N_, ProgramNotFound
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services.programs import Program


class NoSuchProgram(ProgramNotFound):
    """No vendor has a program with this id."""

    sentence = N_("There is no such program.")


@dataclass(frozen=True, slots=True)
class PlatformProgram(Program):
    """A program with all its settings, and whose it is."""

    vendor_id: UUID
    vendor_code: str
    vendor_status: str
    created_at: datetime


_WITH_VENDOR: Final = select(LoyaltyProgram, Vendor).join(Vendor, Vendor.id == LoyaltyProgram.vendor_id)


def list_page(
    *, admin: Admin, vendor_code: str | None = None, after: Position | None = None, limit: int = 50
) -> list[PlatformProgram]:
    """List programs, the newest first; `admin` is who asks for the platform."""
    query = _WITH_VENDOR.order_by(LoyaltyProgram.created_at.desc(), LoyaltyProgram.id.desc()).limit(limit)
    if vendor_code is not None:
        query = query.where(Vendor.code == vendor_code)
    if after is not None:
        query = query.where(tuple_(LoyaltyProgram.created_at, LoyaltyProgram.id) < (after.at, after.id))
    return [_row(row) for row in db.session.execute(query)]


def get(*, admin: Admin, program_id: UUID) -> PlatformProgram:
    """Get one program; `admin` is who asks for the platform."""
    row = db.session.execute(_WITH_VENDOR.where(LoyaltyProgram.id == program_id)).one_or_none()
    if row is None:
        raise NoSuchProgram
    return _row(row)


def _row(row: AnyRow) -> PlatformProgram:
    program, vendor = row
    derived = {
        "program_id": program.id,
        "vendor_id": vendor.id,
        "vendor_code": vendor.code,
        "vendor_name": vendor.name,
        "vendor_status": vendor.status,
        "currency": vendor.currency,
    }
    names = [field.name for field in fields(PlatformProgram) if field.name not in derived]
    return PlatformProgram(**derived, **{name: getattr(program, name) for name in names})
