"""The page of health: one row per check, looked at again by itself."""

from datetime import datetime

from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.services import health_report
from loyalty.services.health import Check
from loyalty.web.access import current_admin, now, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.health import installation
from loyalty.web.htmx import render
from loyalty.web.locale import moment, number
from loyalty.web.sentences import gettext


@blueprint.get("/health")
@requires(Role.ADMIN)
def health() -> ResponseReturnValue:
    """Look at everything."""
    at = now()
    checks = health_report.examine(admin=current_admin(), installation=installation(), at=at)
    problems = health_report.problems(checks)
    return render(
        "admin/health.html", "admin/health_swap.html", checks=checks, problems=problems, at=at, value_of=value_of
    )


def value_of(check: Check) -> str:
    """Say what a check found, its numbers and times written for the reader."""
    return gettext(check.value, **{name: _written(value) for name, value in check.details.items()})


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return number(value) if isinstance(value, int) else str(value)
