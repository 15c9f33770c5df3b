"""Everything of a shop as one archive: complete, of this shop alone, and checkable without this program."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from loyalty.database import db
from loyalty.errors import Forbidden
from loyalty.models.audit import AuditEvent
from loyalty.services import archives, stamps
from tests.factories import Shop, make_card, make_key, make_reward, make_shop

pytestmark = pytest.mark.usefixtures("context")


def archive_of(shop: Shop) -> zipfile.ZipFile:
    with archives.make(actor=shop.ada, say=str, at=datetime.now(UTC)) as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


def read(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    """Read a list as it is kept; its twin has the same rows."""
    rows: list[dict[str, Any]] = json.loads(archive.read(f"{name}.json"))
    table = list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))
    assert len(table) == len(rows)
    return rows


def replayed_head(rows: list[dict[str, Any]], columns: list[str]) -> str:
    """Follow a chain as the archive explains it, with nothing of the program."""
    head = "0" * 64
    for row in sorted(rows, key=lambda row: int(row["seq"])):
        said = {**row, "transaction_at": row["transaction_at"].replace("+00:00", "Z")}
        text = json.dumps(
            [row["entry_version"], head, *(said[name] for name in columns)],
            ensure_ascii=False,
            separators=(",", ":"),
        )
        head = hashlib.sha256(text.encode()).hexdigest()
        assert row["entry_hash"] == head
    return head


def test_it_holds_the_whole_shop_and_nothing_of_the_one_next_door() -> None:
    shop, other = make_shop(loyalty_type="hybrid"), make_shop("butcher")
    card = make_card(shop, stamps=3, points=70, name="Cleo Martin", email="cleo@example.org")
    stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    make_reward(shop, "Cake", 50)
    theirs = make_card(other, name="Mallory")
    archive = archive_of(shop)
    assert archive.testzip() is None
    assert [row["email"] for row in read(archive, "customers")] == ["cleo@example.org"]
    assert [row["name"] for row in read(archive, "rewards")] == ["Cake"]
    assert [row["id"] for row in read(archive, "shop")] == [str(shop.vendor_id)]
    assert {row["name"] for row in read(archive, "staff")} == {"Ben", "Mia"}
    assert [row["stamp_count"] for row in read(archive, "cards")] == [4]
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert str(theirs.card_id).encode() not in everything
    assert str(other.vendor_id).encode() not in everything


def test_it_can_be_checked_by_anybody() -> None:
    shop = make_shop(loyalty_type="hybrid", cooldown_minutes=0)
    made = [make_card(shop, stamps=2, points=30), make_card(shop, name="Zoé Übel")]
    for card in made:
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben), notes="Größe")
    archive = archive_of(shop)
    check = json.loads(archive.read("check.json"))
    for name, digest in check["files"].items():
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest
    rows = read(archive, "transactions")
    assert check["rows"]["transactions"] == len(rows)
    for head in read(archive, "chain_heads"):
        mine = [row for row in rows if row["card_id"] == head["id"]]
        assert len(mine) == head["ledger_seq"]
        assert replayed_head(mine, check["entry_columns"]["1"]) == head["ledger_head"]


def test_it_reads_lists_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_BATCH", 3)
    shop = make_shop()
    made = {str(make_card(shop, stamps=2).card_id) for _ in range(7)}
    archive = archive_of(shop)
    assert {row["id"] for row in read(archive, "cards")} == made
    rows = read(archive, "transactions")
    assert len({row["id"] for row in rows}) == len(rows) == 14


def test_it_leaves_out_what_opens_doors() -> None:
    shop = make_shop()
    card = make_card(shop, name="=HYPERLINK(1)")
    archive = archive_of(shop)
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert card.public_token not in everything
    assert "pin_hash" not in everything
    assert "pin_salt" not in everything
    assert "'=HYPERLINK" in archive.read("customers.csv").decode()
    assert read(archive, "customers")[0]["name"] == "=HYPERLINK(1)"


def test_it_is_for_the_owner_and_written_down() -> None:
    shop = make_shop()
    with pytest.raises(Forbidden):
        archives.make(actor=shop.mia, say=str, at=datetime.now(UTC))
    archive_of(shop)
    (event,) = db.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "archive.exported"))
    assert (event.user_id, event.details["rows"]["shop"]) == (shop.ada.user_id, 1)
