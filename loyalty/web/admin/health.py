"""The page of health: one row per check, looked at again by itself."""

from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.services import clock_tasks, health_report
from loyalty.web.access import current_admin, now, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.health import installation, value_of
from loyalty.web.htmx import render


@blueprint.get("/health")
@requires(Role.ADMIN)
def health() -> ResponseReturnValue:
    """Look at everything."""
    at = now()
    checks = health_report.examine(admin=current_admin(), installation=installation(), at=at)
    problems = health_report.problems(checks)
    return render(
        "admin/health.html",
        "admin/health_swap.html",
        checks=checks,
        problems=problems,
        tasks=clock_tasks.list_tasks(admin=current_admin(), at=at),
        at=at,
        value_of=value_of,
    )
