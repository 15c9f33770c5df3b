"""Backup and restore: the database and the files of DATA_DIR in one archive; the secrets stay apart."""

import hashlib
import hmac
import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import sqlalchemy as sa
from flask_migrate import upgrade

from config import ROOT, Config, environment
from loyalty.embedded.postgres import client_programs
from loyalty.services.health_machine import BACKUP_FILE

FORMAT = 1
# Made again by themselves, or kept apart on purpose.
LEFT_OUT = ("secrets", "run", "pg", "valkey", "log", BACKUP_FILE)
SECRETS_APART = (
    "Keep SECRET_KEY and PIN_PEPPER (with embedded servers: DATA_DIR/secrets) in another place; "
    "without PIN_PEPPER no cashier's PIN works after a restore."
)


class BackupError(Exception):
    """It could not be done; the text is one line."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the archive says of itself; `files` maps names to their SHA-256."""

    format: int
    made_at: str
    server: int
    pepper: str
    database: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Made:
    """A finished archive."""

    size: int
    files: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What is back."""

    made_at: str
    files: int
    same_pepper: bool


def make(config: Config, file: Path) -> Made:
    """Write the archive, whole or not at all."""
    owner = _owner(config)
    if file.exists():
        raise BackupError(f"{file} exists already.")
    half = file.with_name(f"{file.name}.part")
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "database.dump"
        _run(config, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file", str(dump))
        files = sorted(_files(config.data_dir))
        manifest = Manifest(
            format=FORMAT,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            server=_server_major(owner),
            pepper=_fingerprint(config.pin_pepper),
            database=_digest(dump),
            files={name: _digest(config.data_dir / name) for name in files},
        )
        with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            with tarfile.open(fileobj=out, mode="w") as archive:
                _add_bytes(archive, "manifest.json", json.dumps(asdict(manifest), indent=2).encode())
                archive.add(dump, "database.dump")
                for name in files:
                    archive.add(config.data_dir / name, f"files/{name}")
            out.flush()
            os.fsync(out.fileno())
    half.rename(file)
    (config.data_dir / BACKUP_FILE).write_text(json.dumps({"made_at": manifest.made_at}), encoding="utf-8")
    return Made(size=file.stat().st_size, files=len(files))


def restore(config: Config, file: Path, *, force: bool) -> Restored:
    """Check the archive, then bring its database and files back; what was there stays if anything fails."""
    owner = _owner(config)
    with tempfile.TemporaryDirectory() as folder:
        manifest = _unpack(file, Path(folder))
        if not force and (filled := _filled_table(owner)):
            raise BackupError(f"The database holds something (table {filled}): --force replaces all of it.")
        _replace_database(config, owner, Path(folder) / "database.dump")
        upgrade(directory=str(ROOT / "migrations"))
        for name in manifest.files:
            target = config.data_dir / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((Path(folder) / "files" / name).read_bytes())
    same_pepper = manifest.pepper == _fingerprint(config.pin_pepper)
    return Restored(made_at=manifest.made_at, files=len(manifest.files), same_pepper=same_pepper)


def _owner(config: Config) -> sa.Engine:
    if config.database_owner_url is None:
        raise BackupError("DATABASE_OWNER_URL is not set: backup and restore work as the owner of the tables.")
    return sa.create_engine(config.database_owner_url, poolclass=sa.NullPool)


def _server_major(owner: sa.Engine) -> int:
    with owner.connect() as connection:
        return int(connection.execute(sa.text("SHOW server_version_num")).scalar_one()) // 10_000


def _run(config: Config, program: str, *args: str) -> None:
    """Run one of PostgreSQL's programs; the address travels in the environment, where `ps` does not show it."""
    url = sa.make_url(config.database_owner_url or "")
    host = url.host or str(url.query.get("host", ""))
    said = {"PGHOST": host, "PGPORT": str(url.port or ""), "PGUSER": url.username or "", "PGPASSWORD": url.password}
    for name in ("sslmode", "sslrootcert", "sslcert", "sslkey"):
        said[f"PG{name.upper()}"] = str(url.query.get(name, ""))
    # An owner's own settings of the server, such as statement_timeout, must not cut a long dump short.
    said["PGOPTIONS"] = "-c statement_timeout=0"
    env = environment() | {name: value for name, value in said.items() if value} | {"PGDATABASE": url.database or ""}
    path = client_programs(_server_major(_owner(config)), environment()) / program
    done = subprocess.run([path, *args], capture_output=True, text=True, env=env)
    if done.returncode:
        raise BackupError(f"{program} failed: {' '.join(done.stderr.split())[-400:]}")


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if name.parts[0] not in LEFT_OUT and path.is_file() and not path.is_symlink():
            yield name.as_posix()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fingerprint(pepper: bytes) -> str:
    """Tell one pepper from another; too short and too slow a way back to be of use to anybody else."""
    return hmac.digest(pepper, b"which pepper is this", "sha256").hex()[:8]


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))


def _unpack(file: Path, folder: Path) -> Manifest:
    """Unpack into a folder of our own, and trust nothing that the manifest does not name with its sum."""
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if not member.isfile() or name.is_absolute() or ".." in name.parts:
                    raise BackupError(f"{file} is no backup: it holds {member.name}.")
                source, target = archive.extractfile(member), folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as out:
                    while source is not None and (part := source.read(1 << 20)):
                        out.write(part)
        manifest = Manifest(**json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
        sums = {"database.dump": manifest.database} | {f"files/{n}": s for n, s in manifest.files.items()}
        wrong = [name for name, digest in sums.items() if _digest(folder / name) != digest]
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{file} cannot be read as a backup: {error}") from error
    if wrong or manifest.format != FORMAT:
        raise BackupError(f"{file} is damaged or of another format: {', '.join(wrong) or manifest.format}")
    return manifest


def _filled_table(owner: sa.Engine) -> str | None:
    with owner.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            held = connection.execute(sa.select(sa.text("1")).select_from(sa.table(table)).limit(1)).first()
            if table != "alembic_version" and held:
                return table
    return None


def _replace_database(config: Config, owner: sa.Engine, dump: Path) -> None:
    """Restore beside what is there, which goes only when the new one is complete."""
    before = f"before_{datetime.now(UTC):%Y%m%d%H%M%S}"
    _set_aside(owner, before)
    try:
        target = sa.make_url(config.database_owner_url or "").database or ""
        rules = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        _run(config, "pg_restore", *rules, "--dbname", target, str(dump))
    except BaseException:
        _say(owner, "DROP SCHEMA public CASCADE", f"ALTER SCHEMA {before} RENAME TO public")
        raise
    _say(owner, f"DROP SCHEMA {before} CASCADE")


def _set_aside(owner: sa.Engine, name: str) -> None:
    with owner.connect() as connection:
        quote = connection.dialect.identifier_preparer.quote
        tables = ", ".join(quote(table) for table in sa.inspect(connection).get_table_names())
    # Whoever is at work there has to finish first; nobody can begin again on the old tables.
    locks = [f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"] if tables else []
    try:
        _say(owner, *locks, f"ALTER SCHEMA public RENAME TO {name}", "CREATE SCHEMA public")
    except sa.exc.OperationalError as error:
        raise BackupError("Somebody is working in the database: stop the web server and the workers.") from error


def _say(owner: sa.Engine, *statements: str) -> None:
    with owner.begin() as connection:
        connection.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
        for statement in statements:
            connection.execute(sa.text(statement))
