"""When points expire: the days of every rule, the warning, and the night on which a run is due."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.expiry import (
    WARNING_DAYS,
    EndedRule,
    Holding,
    Mail,
    Rules,
    Step,
    by_month,
    decide,
    is_night_over,
    last_day,
)

JOINED = date(2026, 1, 1)
VISIT = date(2026, 3, 1)
DAYS = st.one_of(st.none(), st.integers(30, 400))


def end(days: int | None, *ended: EndedRule, active_on: date = VISIT, **more: date) -> date | None:
    """Return the last day under these rules."""
    return last_day(rules=Rules(days, ended), active_on=active_on, joined_on=JOINED, **more)


def test_it_counts_days_from_the_last_visit() -> None:
    assert end(30) == date(2026, 3, 31)
    assert end(None) is None


def test_it_keeps_what_a_longer_rule_promised() -> None:
    longer = EndedRule(365, date(2026, 4, 1))
    assert end(30, longer) == VISIT + timedelta(days=365)
    assert end(30, longer, active_on=date(2027, 6, 1)) == date(2027, 7, 1)


def test_it_lengthens_at_once() -> None:
    assert end(365, EndedRule(30, date(2026, 3, 10))) == VISIT + timedelta(days=365)


def test_it_promises_nothing_to_those_who_joined_later() -> None:
    assert end(30, EndedRule(365, date(2025, 12, 31))) == date(2026, 3, 31)


def test_it_counts_anew_after_a_time_without_expiry() -> None:
    assert end(30, EndedRule(None, date(2026, 6, 1))) == date(2026, 7, 1)


def test_it_keeps_points_that_were_given_back() -> None:
    assert end(30, kept_until=date(2026, 12, 1)) == date(2026, 12, 1)


@given(
    changes=st.lists(st.tuples(DAYS, st.integers(0, 60)), min_size=1, max_size=6),
    visits=st.lists(st.integers(0, 400), min_size=1, max_size=5),
)
def test_it_never_brings_a_day_nearer(changes: list[tuple[int | None, int]], visits: list[int]) -> None:
    """Whatever the shop changes and whenever the customer comes: the last day only moves away."""
    days: int | None = 365
    ended: list[EndedRule] = []
    today = JOINED
    active_on = JOINED
    coming = sorted({JOINED + timedelta(days=visit) for visit in visits})
    for days_now, later in changes:
        today += timedelta(days=later)
        active_on = max([active_on, *(visit for visit in coming if visit <= today)])
        before = last_day(rules=Rules(days, tuple(ended)), active_on=active_on, joined_on=JOINED)
        if days_now != days:
            ended.append(EndedRule(days, today))
            days = days_now
        after = last_day(rules=Rules(days, tuple(ended)), active_on=active_on, joined_on=JOINED)
        if before is not None and after is not None:
            assert after >= before
        if before is None and after is not None:
            assert days is not None
            assert after >= today + timedelta(days=days)


def held(**more: Any) -> Holding:
    """Make the card of somebody who last came on VISIT, under a rule of 30 days: good until 31 March."""
    return replace(Holding(points=10, active_on=VISIT, joined_on=JOINED), **more)


def step(holding: Holding, today: date, days: int | None = 30) -> tuple[Step, date | None]:
    """Return what is decided on a day."""
    decision = decide(rules=Rules(days), holding=holding, today=today)
    return decision.step, decision.last_day


GOOD_UNTIL = date(2026, 3, 31)
WARNED_ON = date(2026, 3, 17)
WARNED = {"announced": GOOD_UNTIL, "announced_on": WARNED_ON}
AFTER = date(2026, 4, 1)


def test_it_warns_fourteen_days_before() -> None:
    assert step(held(), date(2026, 3, 16)) == (Step.KEEP, None)
    assert step(held(), WARNED_ON) == (Step.ANNOUNCE, GOOD_UNTIL)


def test_it_warns_first_however_late_it_is() -> None:
    late = date(2026, 9, 1)
    assert step(held(), late) == (Step.ANNOUNCE, late + timedelta(days=WARNING_DAYS))


def test_it_takes_after_the_last_day_where_there_is_nobody_to_write_to() -> None:
    assert step(held(**WARNED), GOOD_UNTIL) == (Step.KEEP, None)
    assert step(held(**WARNED), AFTER) == (Step.TAKE, None)


def test_it_takes_two_weeks_after_the_mail_was_handed_over() -> None:
    sent = held(**WARNED, mail=Mail.SENT, mailed_on=date(2026, 3, 20))
    assert step(sent, AFTER) == (Step.POSTPONE, date(2026, 4, 3))
    waiting = held(**{**WARNED, "announced": date(2026, 4, 3)}, mail=Mail.SENT, mailed_on=date(2026, 3, 20))
    assert step(waiting, date(2026, 4, 3)) == (Step.KEEP, None)
    assert step(waiting, date(2026, 4, 4)) == (Step.TAKE, None)


@pytest.mark.parametrize("mail", [Mail.WAITING, Mail.FAILED])
def test_it_keeps_points_while_no_mail_was_handed_over(mail: Mail) -> None:
    late = date(2027, 3, 31)
    unwarned = held(**WARNED, mail=mail)
    assert step(unwarned, GOOD_UNTIL) == (Step.KEEP, None)
    assert step(unwarned, late) == (Step.POSTPONE, late + timedelta(days=WARNING_DAYS))


def test_it_warns_once_more_where_the_mail_failed_long_ago() -> None:
    again = held(**WARNED, mail=Mail.FAILED, fit_again=True)
    assert step(again, AFTER) == (Step.ANNOUNCE, date(2026, 4, 15))


def test_it_mails_to_an_address_that_came_later() -> None:
    assert step(held(**WARNED, mail=Mail.NONE), AFTER) == (Step.MAIL, date(2026, 4, 15))


def test_it_takes_a_warning_back() -> None:
    visited = held(**{**WARNED, "active_on": AFTER}, used_since=True)
    assert step(visited, AFTER) == (Step.WITHDRAW, None)
    assert step(held(**{**WARNED, "points": 0}), AFTER) == (Step.WITHDRAW, None)
    assert step(held(**WARNED), AFTER, days=365) == (Step.WITHDRAW, None)
    assert step(held(**WARNED), AFTER, days=None) == (Step.WITHDRAW, None)


def test_it_warns_anew_after_a_visit() -> None:
    """A clock that stood still for long: the warning before the visit is not one for afterwards."""
    assert step(held(**WARNED, used_since=True), AFTER) == (Step.ANNOUNCE, date(2026, 4, 15))


@given(
    gone=st.integers(0, 600),
    mail=st.sampled_from(Mail),
    announced=st.one_of(st.none(), st.integers(0, 600)),
    mailed=st.integers(0, 600),
    days=st.integers(30, 365),
)
def test_it_takes_from_nobody_who_was_not_warned_for_two_weeks(
    gone: int, mail: Mail, announced: int | None, mailed: int, days: int
) -> None:
    today = VISIT + timedelta(days=gone)
    warned_on = VISIT + timedelta(days=announced) if announced is not None else None
    holding = held(
        announced=warned_on and warned_on + timedelta(days=WARNING_DAYS),
        announced_on=warned_on,
        mail=mail,
        mailed_on=VISIT + timedelta(days=mailed) if mail is Mail.SENT else None,
    )
    if decide(rules=Rules(days), holding=holding, today=today).step is Step.TAKE:
        assert mail in (Mail.NOBODY, Mail.SENT)
        assert gone > days
        assert (today - (holding.mailed_on or warned_on or today)).days > WARNING_DAYS


@pytest.mark.parametrize("zone", ["Europe/Luxembourg", "America/New_York", "America/Havana", "Australia/Lord_Howe"])
@pytest.mark.parametrize("month", [3, 4, 10, 11])
def test_it_runs_once_on_every_day_also_when_the_clock_is_changed(zone: str, month: int) -> None:
    """Minute by minute through the months in which clocks change, in both halves of the world."""
    at, ran_on, ran = datetime(2026, month, 1, tzinfo=UTC), None, []
    for _ in range(30 * 24 * 6):
        at += timedelta(minutes=10)
        now = at.astimezone(ZoneInfo(zone))
        if is_night_over(now=now, ran_on=ran_on):
            ran_on = now.date()
            ran.append(now)
    assert len(ran) == len({night.date() for night in ran})
    assert {(later.date() - earlier.date()).days for earlier, later in pairwise(ran)} == {1}
    # The first run catches up with the day on which the clock was started.
    assert all(night.hour in (2, 3) for night in ran[1:])


def test_it_catches_up_in_the_middle_of_the_day() -> None:
    noon = datetime(2026, 3, 5, 12, tzinfo=ZoneInfo("Europe/Luxembourg"))
    assert is_night_over(now=noon, ran_on=date(2026, 3, 1))
    assert not is_night_over(now=noon, ran_on=date(2026, 3, 5))
    assert not is_night_over(now=noon.replace(hour=1), ran_on=date(2026, 3, 1))


def test_it_adds_up_by_month() -> None:
    groups = [(date(2026, 5, 3), 1, 10), (date(2026, 4, 30), 2, 5), (date(2026, 5, 31), 3, 7)]
    assert by_month(groups) == [(date(2026, 4, 1), 2, 5), (date(2026, 5, 1), 4, 17)]
