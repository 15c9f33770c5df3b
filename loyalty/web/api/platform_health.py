"""How the installation is, part by part."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from loyalty.domain.values import Admin, Scope
from loyalty.services import health_report
from loyalty.services.health import Check
from loyalty.web.access import now
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import Answer
from loyalty.web.health import installation, value_of
from loyalty.web.sentences import gettext


class HealthCheck(Answer):
    """One part; what was never seen at work is unknown, not well."""

    name: str = Field(examples=["queue"])
    state: Literal["ok", "warning", "down", "unknown"]
    value: str = Field(examples=["Nothing waits."], description="What was found.")
    advice: str = Field(examples=[""], description="What to do.")
    words: str = Field(examples=[""], description="What a program or a provider said, as it came.")
    since: datetime | None = Field(description="When this state began, where that is known.")


class Health(Answer):
    """Every part of the installation."""

    problems: int = Field(examples=[0], description="How many parts are down.")
    checked_at: datetime
    checks: list[HealthCheck] = Field(description="The worst first.")


@operation("GET", "/admin/loyalty/health", scope=Scope.PLATFORM, answers=Health, limit_to=30, tag="Platform")
def get_health(admin: Admin) -> Health:
    """Look at every part of the installation."""
    at = now()
    checks = health_report.examine(admin=admin, installation=installation(), at=at)
    return Health(problems=health_report.problems(checks), checked_at=at, checks=[_check(check) for check in checks])


def _check(check: Check) -> HealthCheck:
    return HealthCheck.of(
        check, state=check.state.value, value=value_of(check), advice=gettext(check.advice) if check.advice else ""
    )
