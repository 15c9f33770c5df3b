"""Checks of an installation, each with the repair in words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import redis
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from config import ROOT, Config
from loyalty import queue
from loyalty.database import db, end_reading
from loyalty.services import google_passes, health, health_machine, health_partners, passes
from loyalty.services.health import Check, State

GOOD, WARN, BAD = "ok", "warn", "FAIL"
_LEVELS = {State.WARNING: WARN, State.DOWN: BAD}
# By the package whose error it is.
_REPAIRS = {
    "redis": "start Redis, or set REDIS_URL to where it is",
    "sqlalchemy": "start PostgreSQL, or set DATABASE_URL to where it is",
}

Said = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    level: str
    words: str


def examine(config: Config, *, debug: bool) -> list[Finding]:
    """Run every check; one that cannot be made is a finding itself."""
    checks: list[tuple[str, Callable[[], Said]]] = [
        ("settings", lambda: _settings(config, debug=debug)),
        ("address", lambda: _address(config)),
        ("database roles", lambda: _roles(config)),
        ("database safety", _safety),
        ("migrations", _migrations),
        ("clocks", _clocks),
        ("time zones", _time_zones),
        ("queue", lambda: _queue(config)),
        ("disk", lambda: _disk(config)),
        ("mail", lambda: _mail(config)),
        ("apple wallet", lambda: _apple(config)),
        ("google wallet", lambda: _google(config)),
        ("backup", lambda: _backup(config)),
    ]
    return [finding for name, check in checks for finding in _ask(name, check)]


def _ask(name: str, check: Callable[[], Said]) -> list[Finding]:
    try:
        found = [Finding(name, level, words) for level, words in check()]
    except (sa.exc.SQLAlchemyError, redis.RedisError, OSError) as error:
        end_reading()
        repair = _REPAIRS.get(type(error).__module__.split(".")[0], "look at the files and their rights")
        return [Finding(name, BAD, f"cannot be checked: {str(error).splitlines()[0]} ({repair})")]
    return found or [Finding(name, GOOD, "as it should be")]


def _settings(config: Config, *, debug: bool) -> Said:
    if debug:
        yield BAD, "Debug mode is on, which shows the inside to strangers: start without --debug and FLASK_DEBUG."
    if config.secret_key.encode() == config.pin_pepper:
        yield BAD, "SECRET_KEY and PIN_PEPPER are the same: make another SECRET_KEY (everybody signs in again)."
    if not config.rate_limits:
        yield WARN, "RATE_LIMITS is off: remove it once the load test is over."
    folder = config.data_dir / "secrets"
    if folder.exists() and folder.stat().st_mode & 0o077:
        yield BAD, f"Others can read {folder}: chmod -R go-rwx {folder}"
    if config.embedded and not config.loopback:
        yield WARN, "The embedded servers are for trying it out: set DATABASE_URL and REDIS_URL for production."


def _address(config: Config) -> Said:
    if not config.https:
        level = WARN if config.loopback else BAD
        yield (
            level,
            "PUBLIC_URL is not https: cookies travel openly and phones refuse the camera; see docs/operations.md.",
        )
    elif not config.trusted_proxies:
        yield (
            WARN,
            "PUBLIC_URL is https but TRUSTED_PROXIES is 0: set 1 behind a proxy, or all visitors share one limit.",
        )


def _roles(config: Config) -> Said:
    role = db.session.execute(
        sa.text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    ).one()
    if role.rolsuper or role.rolbypassrls:
        yield BAD, f"{role.rolname} is a superuser: use a plain role in DATABASE_URL (docs/operations.md has the SQL)."
    rights = sa.text(
        "SELECT tableowner = current_user AS owns, has_table_privilege(tablename, 'UPDATE, DELETE, TRUNCATE') AS may"
        " FROM pg_tables WHERE schemaname = 'public' AND tablename = 'loyalty_transactions'"
    )
    table = db.session.execute(rights).one_or_none()
    if table is not None and (table.owns or table.may):
        yield BAD, f"{role.rolname} may change the ledger: run `flask db upgrade` with another DATABASE_OWNER_URL."
    if config.database_owner_url is None:
        yield WARN, "DATABASE_OWNER_URL is not set: migrations, backup and restore need it."
        return
    engine = sa.create_engine(config.database_owner_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        if connection.execute(sa.text("SELECT current_user")).scalar_one() == role.rolname:
            yield BAD, "DATABASE_URL and DATABASE_OWNER_URL are the same role, which can change the ledger: make two."


def _safety() -> Said:
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        if db.session.execute(sa.text(f"SHOW {name}")).scalar_one() == "off":
            yield BAD, f"{name} is off, so a power cut loses stamps: ALTER SYSTEM SET {name} = on, and reload."


def _migrations() -> Said:
    versions = tuple(script.revision for script in ScriptDirectory(str(ROOT / "migrations")).walk_revisions())
    yield from _said(health_machine.migrations(health.readiness(versions=versions)))


def _clocks() -> Said:
    yield from _said(health_machine.clock())


def _time_zones() -> Said:
    days = sa.text(
        "SELECT zone, moment, extract(epoch FROM (moment AT TIME ZONE zone) - (moment AT TIME ZONE 'UTC'))::int AS s"
        " FROM (SELECT DISTINCT timezone AS zone FROM vendors) z,"
        " generate_series(now(), now() + interval '400 days', interval '12 hours') moment"
    )
    wrong = set()
    for zone, moment, seconds in db.session.execute(days):
        offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
        if offset is None or offset.total_seconds() != seconds:
            wrong.add(zone)
    for zone in sorted(wrong):
        yield BAD, f"Python and PostgreSQL disagree about {zone}: update tzdata on both machines."


def _queue(config: Config) -> Said:
    with redis.from_url(config.redis_url) as server:
        server.ping()
        workers = Worker.count(queue=Queue(queue.NAME, connection=server, serializer=JSONSerializer))
    address = urlsplit(config.redis_url)
    if address.scheme != "unix" and address.hostname not in ("localhost", "127.0.0.1", "::1") and not address.password:
        yield BAD, "Redis is on another machine and asks for no password: set requirepass, and put it into REDIS_URL."
    if not workers:
        yield BAD, "No worker runs, so no mail leaves: start flask --app wsgi worker"
    yield from _said(health_machine.deliveries(health.readiness(versions=()), at=datetime.now(UTC)))


def _disk(config: Config) -> Said:
    yield from _said(health_machine.disk(folder=config.data_dir))


def _mail(config: Config) -> Said:
    if config.mail_url is None:
        yield WARN, f"MAIL_URL is not set: mails are kept as files in {config.data_dir / 'mail'} and reach nobody."


def _apple(config: Config) -> Said:
    if config.apple is not None and passes.find_pass_type() is None:
        yield BAD, passes.reason_off()
    for check in health_partners.certificates(at=datetime.now(UTC)):
        yield from _said(check)


def _google(config: Config) -> Said:
    if config.google is not None and not google_passes.is_on():
        yield BAD, google_passes.reason_off()


def _backup(config: Config) -> Said:
    yield from _said(health_machine.backup(folder=config.data_dir, at=datetime.now(UTC)))


def _said(check: Check) -> Said:
    """Say what the page of health says, in English; what is well or cannot be known yet is no finding."""
    if check.state in _LEVELS:
        details = {k: f"{v:%Y-%m-%d %H:%M} UTC" if isinstance(v, datetime) else v for k, v in check.details.items()}
        yield _LEVELS[check.state], f"{check.value % details if details else check.value} {check.advice}".strip()
