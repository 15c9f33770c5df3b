"""Everything of a shop as one ZIP, for owners who leave or want a copy: each list as JSON and as CSV.

All of it is read as of one moment, a part at a time, into a file on disk: the ledger and the heads of its chains agree,
no memory grows with the shop, and no connection waits for a slow download.
"""

import csv
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final
from uuid import UUID

from sqlalchemy import select, tuple_

from loyalty.database import AnyRow, Base, db, end_reading, transaction
from loyalty.domain.ledger import ENTRY_COLUMNS
from loyalty.domain.spreadsheets import as_kept, plain
from loyalty.domain.values import Actor, Role
from loyalty.errors import N_
from loyalty.services import audit, roles

_BATCH: Final = 1000
# Not translated: it is for programs, and for those who write them.
_HASH: Final = (
    "SHA-256 of the UTF-8 text of the JSON array [entry_version, hash of the row before or 64 zeros, entry_columns...]"
    " without spaces; times in UTC as 2026-01-31T08:00:00.000000Z, days as 2026-01-31, ids in lower case"
)
Say = Callable[[str], str]

_README: Final = N_(
    "This archive holds everything that the loyalty program keeps of this shop, as of one moment.\n\n"
    "Each list is there twice: as JSON exactly as it is kept, and as CSV for a spreadsheet, where an apostrophe stands"
    " before text that would be taken for a formula. Times are in UTC, amounts in the smallest unit of money.\n\n"
    "check.json counts the rows of every file and gives its SHA-256. The rows of each card's ledger are a chain:"
    " chain_heads names the number and the hash of the last one. What a row's hash is made of stands in check.json.\n\n"
    "Hashes of PINs and keys that open passes are left out. The archive is full of personal data: keep it safe.\n"
)


@dataclass(frozen=True, slots=True)
class _Part:
    """A list in the archive; `order` is a key of the table, `only` names its columns where not all but `without`."""

    name: str
    table: str
    order: tuple[str, ...] = ("id",)
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


_PARTS: Final = (
    _Part("shop", "vendors", without=("pin_salt",)),
    _Part("policy", "vendor_policies", order=("vendor_id",)),
    _Part("program", "loyalty_programs"),
    _Part("rewards", "rewards"),
    _Part("stores", "stores"),
    _Part("staff", "staff_pins", only=("id", "store_id", "name", "role", "active", "created_at")),
    _Part("customers", "customers"),
    _Part("consents", "consents"),
    _Part("cards", "loyalty_cards", without=("public_token", "apple_serial_number", "apple_auth_token")),
    _Part("transactions", "loyalty_transactions", order=("card_id", "seq")),
    _Part("transaction_details", "transaction_details", order=("transaction_id",)),
    _Part("mails", "email_logs", without=("address_hash", "message_id")),
    _Part("audit", "audit_events"),
    _Part("chain_heads", "loyalty_cards", only=("id", "ledger_seq", "ledger_head")),
)


def make(*, actor: Actor, say: Say, at: datetime) -> IO[bytes]:
    """Write the archive of the actor's shop, note who took it, and return the file, to be read from its beginning."""
    roles.require(actor=actor, role=Role.OWNER)
    with ExitStack() as until_done:
        file = until_done.enter_context(tempfile.TemporaryFile())
        counts = _write(actor.vendor_id, file, say, at)
        until_done.pop_all()
    with transaction():
        audit.record(
            actor=actor,
            action="archive.exported",
            subject_type="vendor",
            subject_id=actor.vendor_id,
            details={"rows": counts},
        )
    file.seek(0)
    return file


def _write(vendor_id: UUID, file: IO[bytes], say: Say, at: datetime) -> dict[str, int]:
    """Write all parts as of one moment; returns how many rows each has."""
    check: dict[str, Any] = {"made_at": at.isoformat(), "hash": _HASH, "entry_columns": ENTRY_COLUMNS, "files": {}}
    end_reading()
    with transaction(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        archive.writestr("README.txt", say(_README))
        counts = {part.name: _write_part(archive, part, vendor_id, check["files"]) for part in _PARTS}
        archive.writestr("check.json", json.dumps(check | {"rows": counts}, indent=2))
    return counts


def _write_part(archive: zipfile.ZipFile, part: _Part, vendor_id: UUID, files: dict[str, str]) -> int:
    """Write one list in both forms, the second by way of a file of its own: an archive is written front to back."""
    count = 0
    with tempfile.TemporaryFile() as table:
        with archive.open(f"{part.name}.json", "w", force_zip64=True) as entry:
            as_json, as_csv = _Hashed(entry), _Hashed(table)
            for row in _rows(part, vendor_id):
                if count == 0:
                    as_csv.write(_line(list(row)))
                as_json.write(("[\n" if count == 0 else ",\n") + json.dumps(row, ensure_ascii=False, default=plain))
                as_csv.write(_line([as_kept(value) for value in row.values()]))
                count += 1
            as_json.write("\n]\n" if count else "[]\n")
        table.seek(0)
        with archive.open(f"{part.name}.csv", "w", force_zip64=True) as entry:
            while chunk := table.read(65_536):
                entry.write(chunk)
    files |= {f"{part.name}.json": as_json.digest.hexdigest(), f"{part.name}.csv": as_csv.digest.hexdigest()}
    return count


class _Hashed:
    """A file that text is written to, and the SHA-256 of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, text: str) -> None:
        """Write text as UTF-8."""
        data = text.encode()
        self.digest.update(data)
        self._file.write(data)


def _rows(part: _Part, vendor_id: UUID) -> Iterator[Mapping[str, Any]]:
    """Read a list in the order of its key, a batch at a time."""
    table = Base.metadata.tables[part.table]
    names = part.only or tuple(column.name for column in table.c if column.name not in part.without)
    key = [table.c[name] for name in part.order]
    mine = table.c.id == vendor_id if part.table == "vendors" else table.c.vendor_id == vendor_id
    shown = [table.c[name] for name in names]
    hidden = [column.label(f"key_{column.name}") for column in key]
    query = select(*shown, *hidden).where(mine).order_by(*key).limit(_BATCH)
    batch: list[AnyRow] = list(db.session.execute(query))
    while batch:
        for row in batch:
            yield dict(zip(names, row, strict=False))
        after = tuple(batch[-1][len(names) :])
        batch = list(db.session.execute(query.where(tuple_(*key) > after))) if len(batch) == _BATCH else []


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
