"""When points expire: by inactivity, in whole days of the shop's calendar, and never without a warning before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Final

# Whole days that lie between a warning and the loss, and in which what was lost can be given back.
WARNING_DAYS: Final = 14
RESTORE_DAYS: Final = 14
# A warning that could not be delivered is written once more after so long.
AGAIN_AFTER: Final = timedelta(days=30)
# On the shop's clock.
RUN_HOUR: Final = 2


@dataclass(frozen=True, slots=True)
class EndedRule:
    """A rule that held until a day: points expired after `days`, None where they never did."""

    days: int | None
    ended_on: date


@dataclass(frozen=True, slots=True)
class Rules:
    """The present rule of a program, None where points do not expire, and those before it, oldest first."""

    days: int | None
    ended: tuple[EndedRule, ...] = ()


class Mail(Enum):
    """What became of the mail that warns: nobody to send it to, not written, on its way, handed over, or failed."""

    NOBODY = "nobody"
    NONE = "none"
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Holding:
    """What of a card decides about its points, in days of the shop's calendar.

    `announced` is the last day that was named to the customer, `announced_on` when, `used_since` whether the customer
    came afterwards; `mailed_on` is the day on which the mail about it was handed over, `fit_again` whether one that
    failed may be written once more.
    """

    points: int
    active_on: date
    joined_on: date
    announced: date | None = None
    announced_on: date | None = None
    used_since: bool = False
    kept_until: date | None = None
    mail: Mail = Mail.NOBODY
    mailed_on: date | None = None
    fit_again: bool = False


class Step(Enum):
    """What the daily run does with a card."""

    KEEP = "keep"
    ANNOUNCE = "announce"
    MAIL = "mail"
    POSTPONE = "postpone"
    WITHDRAW = "withdraw"
    TAKE = "take"


@dataclass(frozen=True, slots=True)
class Decision:
    """A step, and the last day that it names."""

    step: Step
    last_day: date | None = None


def last_day(*, rules: Rules, active_on: date, joined_on: date, kept_until: date | None = None) -> date | None:
    """Return the last day on which points are good if nothing is earned or redeemed; None: they do not expire.

    Every rule that held since somebody joined promised its days from the last activity under it, and the latest of all
    promises counts: another rule can only add one, and nobody's day comes nearer. After a time without expiry counting
    starts anew.
    """
    if rules.days is None:
        return None
    promised, anew = [kept_until] if kept_until else [], date.min
    for rule in (*rules.ended, EndedRule(rules.days, date.max)):
        if rule.days is None:
            anew = rule.ended_on
        elif joined_on <= rule.ended_on:
            promised.append(max(min(active_on, rule.ended_on), anew) + timedelta(days=rule.days))
    return max(promised)


def decide(*, rules: Rules, holding: Holding, today: date) -> Decision:
    """Say what is to be done about a card on this day; asked again it says the same until it is done."""
    end = last_day(rules=rules, active_on=holding.active_on, joined_on=holding.joined_on, kept_until=holding.kept_until)
    if not holding.points or end is None or (end - today).days > WARNING_DAYS:
        return Decision(Step.WITHDRAW if holding.announced else Step.KEEP)
    soonest = max(end, today + timedelta(days=WARNING_DAYS))
    if holding.announced is None or holding.announced_on is None or holding.used_since:
        return Decision(Step.ANNOUNCE, soonest)
    if holding.mail is Mail.NONE:
        return Decision(Step.MAIL, soonest)
    if holding.mail is Mail.FAILED and holding.fit_again:
        return Decision(Step.ANNOUNCE, soonest)
    if holding.mail in (Mail.WAITING, Mail.FAILED):
        # Nobody who has an address loses points without a mail. A day that has passed meanwhile is not shown on.
        return Decision(Step.POSTPONE, soonest) if holding.announced < today else Decision(Step.KEEP)
    warned_on = holding.mailed_on or holding.announced_on
    good_until = max(end, holding.announced, warned_on + timedelta(days=WARNING_DAYS))
    if good_until < today:
        return Decision(Step.TAKE)
    return Decision(Step.POSTPONE, good_until) if good_until != holding.announced else Decision(Step.KEEP)


def is_night_over(*, now: datetime, ran_on: date | None) -> bool:
    """Whether the run of this calendar day is due: it is two o'clock or later, and it has not run on this day.

    `now` is in the shop's zone. An hour that the clock jumps over has passed, one that it repeats was there once.
    """
    return now.hour >= RUN_HOUR and (ran_on is None or ran_on < now.date())


def by_month(groups: Sequence[tuple[date, int, int]]) -> list[tuple[date, int, int]]:
    """Add up cards and points by the month of their last day, named by its first; in order of time."""
    sums: dict[date, tuple[int, int]] = {}
    for day, cards, points in groups:
        month = day.replace(day=1)
        before = sums.get(month, (0, 0))
        sums[month] = (before[0] + cards, before[1] + points)
    return [(month, *sums[month]) for month in sorted(sums)]
