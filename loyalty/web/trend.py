"""The visits of a period as a line beside those of the period before: day by day, or weeks where there are many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from loyalty.services.stats import Overview
from loyalty.services.stats_figures import Totals, add_up
from loyalty.services.stats_platform import PlatformStats
from loyalty.web import charts

DAYS_DRAWN: Final = 92
# Below this, a single visit moves the percentages by more than anybody should act upon.
FEW_VISITS: Final = 20

Day = tuple[date, Totals, Totals]


@dataclass(frozen=True, slots=True)
class Step:
    """A day of the line, or a week of a long one, beside the same of the period before."""

    first: date
    last: date
    totals: Totals
    before: Totals

    @property
    def days(self) -> int:
        """How many days it holds."""
        return (self.last - self.first).days + 1

    @property
    def a_day(self) -> float:
        """Its visits a day."""
        return self.totals.visits / self.days

    @property
    def a_day_before(self) -> float:
        """The visits a day of the period before."""
        return self.before.visits / self.days


@dataclass(frozen=True, slots=True)
class Trend:
    """What the chart draws, and what its sentence says."""

    seen: Overview | PlatformStats
    steps: tuple[Step, ...]
    by_week: bool
    ticks: tuple[int, ...]
    line: str
    line_before: str

    @property
    def best(self) -> Step:
        """The first of those with the most visits a day."""
        return max(self.steps, key=lambda step: step.a_day)

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened, neither in these days nor in those before."""
        return not (self.seen.totals.transactions or self.seen.before.transactions)

    @property
    def began(self) -> date | None:
        """The day of the first entry, where these days hold the first ones of all."""
        days = [day for day, totals in self.seen.trend.items() if totals.transactions]
        is_new = not self.seen.before.transactions and days and days[0] > self.seen.period.first
        return days[0] if is_new else None

    @property
    def is_thin(self) -> bool:
        """Whether there are too few visits to conclude anything from."""
        return self.seen.totals.visits < FEW_VISITS


def draw(seen: Overview | PlatformStats) -> Trend:
    """Draw the visits of a period, of a vendor or of all."""
    days = [(*now, then) for now, then in zip(seen.trend.items(), seen.trend_before.values(), strict=True)]
    length = 7 if len(days) > DAYS_DRAWN else 1
    # Weeks end with the period, so what is left over goes to the oldest; by the day it is no lower for that.
    ends = range(length + len(days) % length, len(days) + 1, length)
    steps = tuple(_step(days[begin:end]) for begin, end in zip((0, *ends), ends, strict=False))
    values, before = [step.a_day for step in steps], [step.a_day_before for step in steps]
    ticks = charts.ticks(max(*values, *before))
    return Trend(
        seen=seen,
        steps=steps,
        by_week=length > 1,
        ticks=ticks,
        line=charts.line(values, ticks[0]),
        line_before=charts.line(before, ticks[0]),
    )


def _step(days: Sequence[Day]) -> Step:
    return Step(
        first=days[0][0],
        last=days[-1][0],
        totals=add_up(totals for _, totals, _ in days),
        before=add_up(before for _, _, before in days),
    )
