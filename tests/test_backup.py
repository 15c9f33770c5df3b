"""Backup and restore: a round trip of everything, and refusals that leave things as they were."""

import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from config import ROOT, Config
from loyalty import backup, demo
from loyalty.database import db, new_id
from loyalty.domain.values import Actor, Role
from loyalty.services import images, verification
from tests.applications import another_app
from tests.pictures import make_picture


@pytest.fixture
def shop(apart: Config, config: Config) -> Iterator[Flask]:
    """A shop with customers and a history, in a database of its own."""
    with another_app(apart, config) as app, app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        demo.seed(apart)
        yield app


def rows() -> dict[str, list[tuple[object, ...]]]:
    """Everything in every table, in an order of its own."""
    found = {}
    for table in sorted(sa.inspect(db.session.connection()).get_table_names()):
        read = db.session.execute(sa.select(sa.text("*")).select_from(sa.table(table)))
        found[table] = sorted((tuple(row) for row in read), key=repr)
    db.session.rollback()
    return found


def test_it_brings_everything_back(shop: Flask, apart: Config, tmp_path: Path) -> None:
    (apart.data_dir / "mail").mkdir()
    (apart.data_dir / "mail" / "1.eml").write_text("Hello", encoding="utf-8")
    before, file = rows(), tmp_path / "backup.tar"
    made = backup.make(apart, file)
    assert made.files == 2
    assert file.stat().st_mode & 0o077 == 0
    demo.seed(apart, size=2)
    (apart.data_dir / "mail" / "1.eml").unlink()
    assert rows() != before

    restored = backup.restore(apart, file, force=True)

    assert rows() == before
    assert (apart.data_dir / "mail" / "1.eml").read_text(encoding="utf-8") == "Hello"
    assert restored.same_pepper
    assert verification.verify().findings == []
    with pytest.raises(sa.exc.DBAPIError, match="permission denied"):
        db.session.execute(sa.text("UPDATE loyalty_transactions SET stamps_delta = 9"))
    db.session.rollback()


def test_it_restores_what_was_restored(shop: Flask, apart: Config, tmp_path: Path) -> None:
    before = rows()
    for name in ("first.tar", "second.tar"):
        backup.make(apart, tmp_path / name)
        backup.restore(apart, tmp_path / name, force=True)
    assert rows() == before


def test_it_keeps_a_database_that_holds_something(shop: Flask, apart: Config, tmp_path: Path) -> None:
    backup.make(apart, tmp_path / "backup.tar")
    before = rows()
    with pytest.raises(backup.BackupError, match="--force replaces all of it"):
        backup.restore(apart, tmp_path / "backup.tar", force=False)
    assert rows() == before


def test_it_waits_for_nobody_who_works_in_the_database(shop: Flask, apart: Config, tmp_path: Path) -> None:
    backup.make(apart, tmp_path / "backup.tar")
    before = rows()
    db.session.execute(sa.text("SELECT count(*) FROM loyalty_cards"))
    with pytest.raises(backup.BackupError, match="stop the web server and the workers"):
        backup.restore(apart, tmp_path / "backup.tar", force=True)
    db.session.rollback()
    assert rows() == before


def test_it_keeps_secrets_out(shop: Flask, apart: Config, tmp_path: Path) -> None:
    secret = apart.data_dir / "secrets" / "pin_pepper"
    secret.parent.mkdir()
    secret.write_bytes(apart.pin_pepper)
    backup.make(apart, tmp_path / "backup.tar")
    with tarfile.open(tmp_path / "backup.tar") as archive:
        assert not [name for name in archive.getnames() if "secret" in name]
    assert apart.pin_pepper not in (tmp_path / "backup.tar").read_bytes()


def test_it_refuses_a_damaged_archive_and_keeps_what_is_there(shop: Flask, apart: Config, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    backup.make(apart, file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    before = rows()
    with pytest.raises(backup.BackupError, match="damaged"):
        backup.restore(apart, file, force=True)
    assert rows() == before


def test_it_refuses_an_archive_that_writes_elsewhere(shop: Flask, apart: Config, tmp_path: Path) -> None:
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as archive:
        archive.addfile(tarfile.TarInfo("../outside"))
    with pytest.raises(backup.BackupError, match="is no backup"):
        backup.restore(apart, file, force=True)


def test_it_tells_another_pepper(shop: Flask, apart: Config, tmp_path: Path) -> None:
    backup.make(apart, tmp_path / "backup.tar")
    db.session.rollback()
    other = replace(apart, pin_pepper=b"another pepper that is long enough as well")
    assert not backup.restore(other, tmp_path / "backup.tar", force=True).same_pepper


def test_it_needs_the_owner(shop: Flask, apart: Config, tmp_path: Path) -> None:
    with pytest.raises(backup.BackupError, match="DATABASE_OWNER_URL is not set"):
        backup.make(replace(apart, database_owner_url=None), tmp_path / "backup.tar")


def test_it_never_overwrites_a_file(shop: Flask, apart: Config, tmp_path: Path) -> None:
    (tmp_path / "backup.tar").write_bytes(b"older")
    with pytest.raises(backup.BackupError, match="exists already"):
        backup.make(apart, tmp_path / "backup.tar")
    assert (tmp_path / "backup.tar").read_bytes() == b"older"


def test_it_takes_the_pictures_of_the_shops(shop: Flask, apart: Config, tmp_path: Path) -> None:
    ada = Actor(vendor_id=new_id(), role=Role.OWNER)
    address = images.keep(actor=ada, data=make_picture(), shape=images.Shape.LOGO)
    file = apart.data_dir / address.removeprefix("/")
    before = file.read_bytes()
    backup.make(apart, tmp_path / "backup.tar")
    file.unlink()
    db.session.rollback()
    backup.restore(apart, tmp_path / "backup.tar", force=True)
    assert file.read_bytes() == before
