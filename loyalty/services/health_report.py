"""The page of health: every check, each by itself, so that one that cannot be made hides no other."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from loyalty.database import end_reading
from loyalty.domain.values import Admin
from loyalty.errors import N_
from loyalty.services import health, health_machine, health_partners
from loyalty.services.health import Check, Installation, State
from loyalty.services.health_partners import Partner

_ORDER: Final = (State.DOWN, State.WARNING, State.UNKNOWN, State.OK)


def examine(*, admin: Admin, installation: Installation, at: datetime) -> tuple[Check, ...]:
    """Look at everything, what is worst first."""
    found = _machine(installation, at) + _partners(installation, at)
    return tuple(sorted(found, key=lambda check: _ORDER.index(check.state)))


def problems(checks: tuple[Check, ...]) -> int:
    """Count what is down."""
    return sum(check.state is State.DOWN for check in checks)


def _machine(installation: Installation, at: datetime) -> list[Check]:
    def migrations() -> Check:
        return health_machine.migrations(health.readiness(versions=installation.versions))

    def deliveries() -> Check:
        return health_machine.deliveries(health.readiness(versions=installation.versions), at=at)

    checks: Mapping[str, Callable[[], Check]] = {
        "database": health_machine.database,
        "migrations": migrations,
        "queue": deliveries,
        "workers": health_machine.workers,
        "sweep": lambda: health_machine.sweep(at=at),
        "tasks": lambda: health_machine.tasks(at=at),
        "disk": lambda: health_machine.disk(folder=installation.data_dir),
        "backup": lambda: health_machine.backup(folder=installation.data_dir, at=at),
        "clock": health_machine.clock,
    }
    return [_ask(name, check) for name, check in checks.items()]


def _partners(installation: Installation, at: datetime) -> list[Check]:
    found: dict[str, Partner] = {}

    def read() -> Check:
        found.update(health_partners.read(at=at))
        return Check("partners", State.OK, "")

    unread = _ask("partners", read)
    certificates = health_partners.certificates(at=at)
    if not found:
        return [unread, *certificates]
    return [
        health_partners.mail(found["mail"], installation=installation),
        health_partners.apple(found["apple"], installation=installation),
        *certificates,
        health_partners.google(found["google"], installation=installation),
    ]


def _ask(name: str, check: Callable[[], Check]) -> Check:
    """Make one check; where it cannot be made, nothing is known, and that is said."""
    try:
        return check()
    except (sa.exc.SQLAlchemyError, OSError) as error:
        end_reading()
        words = type(error).__name__
        return Check(name, State.UNKNOWN, N_("This could not be checked."), N_("Look at the log."), words=words)
