"""Statistics of the platform: all shops together, in some days beside as many before."""

from datetime import UTC, date, timedelta
from typing import ClassVar, Final

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import stats_platform
from loyalty.services.stats_platform import PlatformStats
from loyalty.web import trend
from loyalty.web.access import current_admin, now, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.fields import DayField
from loyalty.web.settings_forms import SettingsForm

PRESETS: Final = (7, 30, 90, 365)


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
    form = DaysForm(request.args)
    if form.validate():
        try:
            admin = current_admin()
            seen = stats_platform.overview(admin=admin, first=_first(form), last=form.last.data, at=now())
            return _page(form, seen)
        except ValidationError as refusal:
            form.take(refusal)
    return _page(form, None), 422


def _first(form: DaysForm) -> date | None:
    """Return the first day that was typed, or that of a link to the last days."""
    days = request.args.get("days", "")
    if form.first.data is None and form.last.data is None and days in map(str, PRESETS):
        return now().astimezone(UTC).date() - timedelta(days=int(days) - 1)
    typed: date | None = form.first.data
    return typed


def _page(form: DaysForm, seen: PlatformStats | None) -> str:
    shown = None
    if seen:
        period = seen.period
        # What was left empty is shown as it was understood.
        for field, day in ((form.first, period.first), (form.last, period.last)):
            field.data, field.raw_data = day, None
        shown = period.days if period.days in PRESETS and period.last == period.today else None
    return render_template(
        "admin/statistics.html", form=form, seen=seen, drawn=trend.draw(seen) if seen else None, shown=shown
    )
