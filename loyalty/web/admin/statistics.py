"""Statistics of the platform: all shops together, in some days beside as many before."""

from collections.abc import Callable
from datetime import UTC, date
from functools import partial
from typing import ClassVar, Final, TypeVar

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import stats_platform, stats_platform_customers
from loyalty.services.stats_platform import PlatformStats
from loyalty.services.stats_platform_customers import PlatformCustomers
from loyalty.web import charts, trend
from loyalty.web.access import current_admin, now, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.fields import DayField
from loyalty.web.settings_forms import SettingsForm
from loyalty.web.spans import PRESETS, asked_months, first_of_last_days

COHORT_MONTHS: Final = 6
Seen = TypeVar("Seen", PlatformStats, PlatformCustomers)


class DaysForm(SettingsForm):
    """Which days; it only looks, so it needs no token."""

    class Meta:
        csrf: ClassVar[bool] = False

    first = DayField(_l("From"), optional=True)
    last = DayField(_l("Until"), optional=True)


@blueprint.get("/statistics")
@requires(Role.ADMIN)
def statistics() -> ResponseReturnValue:
    """Show what all shops together did, and how things stand today."""
    form, admin = DaysForm(request.args), current_admin()
    seen = _look(form, partial(stats_platform.overview, admin=admin))
    return _page("admin/statistics.html", form, seen, drawn=trend.draw(seen) if seen else None)


@blueprint.get("/statistics/customers")
@requires(Role.ADMIN)
def customer_statistics() -> ResponseReturnValue:
    """Show who joins all shops together, comes back and stays away, what wallets hold, and the shops side by side."""
    form, admin, months = DaysForm(request.args), current_admin(), asked_months(COHORT_MONTHS)
    seen = _look(form, partial(stats_platform_customers.look, admin=admin, months=months))
    return _page("admin/statistics_customers.html", form, seen, months=months, shade=charts.shade)


def _look(form: DaysForm, look: Callable[..., Seen]) -> Seen | None:
    """Look at the days that are asked for; those that cannot be shown are said beside their field."""
    if not form.validate():
        return None
    try:
        return look(first=_first(form), last=form.last.data, at=now())
    except ValidationError as refusal:
        form.take(refusal)
        return None


def _first(form: DaysForm) -> date | None:
    """Return the first day that was typed, or that of a link to the last days."""
    if form.first.data is None and form.last.data is None:
        return first_of_last_days(now().astimezone(UTC).date())
    typed: date | None = form.first.data
    return typed


def _page(template: str, form: DaysForm, seen: Seen | None, **drawn: object) -> ResponseReturnValue:
    if seen is None:
        return render_template(template, form=form, seen=None, shown=None, query={}), 422
    period = seen.period
    # What was left empty is shown as it was understood.
    for field, day in ((form.first, period.first), (form.last, period.last)):
        field.data, field.raw_data = day, None
    shown = period.days if period.days in PRESETS and period.last == period.today else None
    # What leads to the same days on the other page.
    ends = {"first": period.first.isoformat(), "last": period.last.isoformat()}
    query = {"days": shown} if shown else ends
    return render_template(template, form=form, seen=seen, shown=shown, query=query, **drawn)
