"""Statistics: how visits go, who comes back, what was bought, and, where the owner wants it, who did what."""

from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Actor, Role
from loyalty.services import stats, stats_customers, stats_revenue, stats_staff
from loyalty.services.stats_periods import Period
from loyalty.web import charts, trend
from loyalty.web.access import current_actor, now, requires
from loyalty.web.forms import request_key
from loyalty.web.office import period_form
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.sentences import gettext
from loyalty.web.spans import asked_months

COHORT_MONTHS = 6
REVENUE_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Hours:
    """When people come: rows from the first to the last hour with visits, each with the seven days from Monday."""

    rows: tuple[tuple[int, tuple[int, ...]], ...]
    most: int
    best_day: int
    best_hour: int


@blueprint.get("/statistics")
@requires(Role.MANAGER)
def statistics() -> ResponseReturnValue:
    """Show visits, rewards and open balances of some days, of one store or of all."""
    actor, asked = current_actor(), period_form.read(current_actor())
    if asked.period is None:
        return render_template("office/statistics.html", asked=asked, form=asked.form), 422
    drawn = trend.draw(stats.overview(actor=actor, period=asked.period))
    return render_template(
        "office/statistics.html",
        asked=asked,
        form=asked.form,
        drawn=drawn,
        places=stats.by_store(actor=actor, period=asked.period) if asked.stores > 1 and not asked.store_id else [],
        hours=_hours(actor, asked.period),
        shade=charts.shade,
    )


@blueprint.get("/statistics/customers")
@requires(Role.MANAGER)
def customer_statistics() -> ResponseReturnValue:
    """Show who joins, who comes back, and who stays away."""
    actor, asked, at = current_actor(), period_form.read(current_actor()), now()
    if asked.period is None:
        return render_template("office/statistics_customers.html", asked=asked, form=asked.form), 422
    months = asked_months(COHORT_MONTHS)
    return render_template(
        "office/statistics_customers.html",
        asked=asked,
        form=asked.form,
        months=months,
        funnel=stats_customers.funnel(actor=actor, period=asked.period),
        cohorts=stats_customers.cohorts(actor=actor, months=months, store_id=asked.store_id, at=at),
        quiet=stats_customers.at_risk(actor=actor, store_id=asked.store_id, at=at),
        shade=charts.shade,
    )


@blueprint.get("/statistics/revenue")
@requires(Role.MANAGER)
def revenue_statistics() -> ResponseReturnValue:
    """Show what recorded purchases brought in, month by month."""
    actor, asked = current_actor(), period_form.read(current_actor())
    months = asked_months(REVENUE_MONTHS)
    revenue = stats_revenue.by_month(actor=actor, months=months, store_id=asked.store_id, at=now())
    return render_template(
        "office/statistics_revenue.html", asked=asked, form=asked.form, months=months, revenue=revenue
    )


@blueprint.get("/statistics/staff")
@requires(Role.MANAGER)
def staff_statistics() -> ResponseReturnValue:
    """Show what each member of staff did, or that nobody counts it."""
    actor, asked = current_actor(), period_form.read(current_actor())
    since = stats_staff.find_since(actor=actor)
    if since is not None and asked.period is None:
        return render_template(
            "office/statistics_staff.html", asked=asked, form=asked.form, since=since, people=[]
        ), 422
    people = stats_staff.by_staff(actor=actor, period=asked.period) if since and asked.period else []
    return render_template("office/statistics_staff.html", asked=asked, form=asked.form, since=since, people=people)


@blueprint.post("/statistics/staff/on")
@requires(Role.OWNER)
def switch_staff_statistics_on() -> ResponseReturnValue:
    """Begin to count what each member of staff does."""
    stats_staff.switch_on(actor=current_actor(), key=request_key({}), at=now())
    flash(gettext("From today on it is counted what each member of staff does."))
    return redirect(url_for("office.staff_statistics"), 303)


@blueprint.get("/statistics/staff/off")
@requires(Role.OWNER)
def confirm_staff_statistics_off() -> ResponseReturnValue:
    """Ask whether to delete what was counted."""
    return confirm_page(
        title=gettext("Stop counting per member of staff"),
        text=gettext("What was counted of each of them is deleted. The figures of the shop and its stores stay."),
        button=gettext("Stop and delete"),
        final=True,
        back=url_for("office.staff_statistics"),
    )


@blueprint.post("/statistics/staff/off")
@requires(Role.OWNER)
def switch_staff_statistics_off() -> ResponseReturnValue:
    """Stop counting what each member of staff does, and delete what was counted."""
    stats_staff.switch_off(actor=current_actor(), key=request_key({}))
    flash(gettext("Nothing is counted per member of staff any more, and what was counted is deleted."))
    return redirect(url_for("office.staff_statistics"), 303)


def _hours(actor: Actor, period: Period) -> Hours | None:
    """Turn the week on its side, so that it fits on a phone; None where nobody came."""
    week = stats.by_hour(actor=actor, period=period)
    busy = [hour for hour in range(24) if any(day[hour] for day in week)]
    if not busy:
        return None
    most, day, hour = max((week[day][hour], -day, -hour) for day in range(7) for hour in busy)
    rows = tuple((place, tuple(each[place] for each in week)) for place in range(busy[0], busy[-1] + 1))
    return Hours(rows, most, -day, -hour)
