"""Who comes back: cohorts by month of joining, the way from joining to the first reward, and who stays away.

These read the rows that `card_stats` keeps of one vendor's cards, or of all, one for each card, never the ledger.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Date, and_, case, cast, func, literal, null, or_, select, true

from loyalty.database import db
from loyalty.domain.values import Actor, Role
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.passes import AppleDeviceRegistration
from loyalty.models.stats import CardStats
from loyalty.services import replaced_codes, roles, stats_periods
from loyalty.services.stats_figures import at_store
from loyalty.services.stats_periods import Days, Period
from loyalty.services.stats_revenue import check_months, last_months

NEWCOMER_DAYS: Final = 60
MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class Cohort:
    """Who joined in a month; `visited[n]` of them came in the n-th month after it, the month itself being 0."""

    month: date
    joined: int
    visited: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Funnel:
    """Of those who joined in a period: who has the card in a wallet by now, came on a second day, had a reward."""

    joined: int
    in_wallet: int
    second_visit: int
    first_reward: int


@dataclass(frozen=True, slots=True)
class QuietCard:
    """A card at risk; `every_days` is its own interval in whole days, None for one with fewer than two visits."""

    card_id: UUID
    card_number: str
    name: str | None
    visits: int
    last_visit_day: date | None
    silent_days: int
    every_days: int | None


@dataclass(frozen=True, slots=True)
class AtRisk:
    """How many members are silent for too long, and those of them with the most visits.

    A regular, who came on two days or more, is at risk once silent for longer than twice the mean interval between
    their visits; a newcomer after 60 days. Silence is counted from the last visit, without one from joining.
    """

    members: int
    regulars: int
    newcomers: int
    cards: tuple[QuietCard, ...]

    @property
    def number(self) -> int:
        """How many there are."""
        return self.regulars + self.newcomers


def cohorts(*, actor: Actor, months: int = 6, store_id: UUID | None = None, at: datetime) -> list[Cohort]:
    """Follow those who joined in each of the last months, oldest first, up to the present month."""
    roles.require(actor=actor, role=Role.MANAGER)
    check_months(months)
    period = stats_periods.choose(actor=actor, store_id=store_id, at=at)
    return follow(whose=_mine(actor, period), months=months, today=period.today)


def follow(*, whose: ColumnElement[bool], months: int, today: date) -> list[Cohort]:
    """Follow those among some cards who joined in each of the last months; `whose` is a condition on `card_stats`."""
    wanted = list(last_months(today, months))
    sizes, visits = _follow(and_(whose, CardStats.joined_day.between(wanted[0], today)))
    return [
        Cohort(month, sizes.get(month, 0), tuple(visits.get((month, later), 0) for later in wanted[place:]))
        for place, month in enumerate(wanted)
    ]


def funnel(*, actor: Actor, period: Period) -> Funnel:
    """Follow those who joined in a period on their way to the first reward."""
    roles.require(actor=actor, role=Role.MANAGER)
    # The card's shop is said too, and that it is one: by them an index answers, without those of all shops.
    return count_way(whose=and_(_mine(actor, period), LoyaltyCard.vendor_id == actor.vendor_id), days=period)


def count_way(*, whose: ColumnElement[bool], days: Days) -> Funnel:
    """Follow those among some cards who joined in these days; `whose` is a condition on `card_stats` and cards."""
    on_phone = select(AppleDeviceRegistration.card_id).where(AppleDeviceRegistration.card_id == LoyaltyCard.id).exists()
    row = db.session.execute(
        select(
            func.count().label("joined"),
            func.count().filter(or_(LoyaltyCard.google_saved_at.is_not(None), on_phone)).label("in_wallet"),
            func.count(CardStats.second_visit_day).label("second_visit"),
            func.count(CardStats.first_reward_day).label("first_reward"),
        )
        .join(LoyaltyCard, LoyaltyCard.id == CardStats.card_id)
        .where(replaced_codes.is_card(), whose)
        .where(CardStats.joined_day.between(days.first, days.last))
    ).one()
    return Funnel(row.joined, row.in_wallet, row.second_visit, row.first_reward)


def at_risk(*, actor: Actor, store_id: UUID | None = None, most: int = 50, at: datetime) -> AtRisk:
    """Count the members who have been silent for too long, and list those who came most often."""
    roles.require(actor=actor, role=Role.MANAGER)
    period = stats_periods.choose(actor=actor, store_id=store_id, at=at)
    whose = and_(_mine(actor, period), CardStats.is_active)
    counted = count_quiet(whose=whose, today=period.today)
    return replace(counted, cards=_list(period.today, whose & or_(*_quiet(period.today)), min(most, MOST_LISTED)))


def count_quiet(*, whose: ColumnElement[bool], today: date) -> AtRisk:
    """Count those among some active cards who have been silent for too long, and list none of them."""
    regulars, newcomers = _quiet(today)
    counts = db.session.execute(
        select(
            func.count().label("members"),
            func.count().filter(regulars).label("regulars"),
            func.count().filter(newcomers).label("newcomers"),
        ).where(whose)
    ).one()
    return AtRisk(counts.members, counts.regulars, counts.newcomers, ())


def _follow(cards: ColumnElement[bool]) -> tuple[dict[date, int], dict[tuple[date, date], int]]:
    """Count, of some cards, who joined in each month, and who of them came in which month."""
    month = cast(func.date_trunc("month", CardStats.joined_day), Date).label("month")
    # Put together first who joined in the same month and came in the same ones: they are far fewer than the cards.
    columns = (month, CardStats.visited_months)
    alike = select(*columns, func.count().label("number")).where(cards).group_by(*columns).cte("alike")
    visited = func.unnest(alike.c.visited_months).table_valued("month", name="visited").render_derived()
    number = cast(func.sum(alike.c.number), BigInteger).label("number")
    joined = select(alike.c.month, cast(null(), Date).label("visited"), number).group_by(alike.c.month)
    came = select(alike.c.month, visited.c.month.label("visited"), number).join(visited, true())
    rows = db.session.execute(joined.union_all(came.group_by(alike.c.month, visited.c.month))).all()
    sizes = {row.month: row.number for row in rows if row.visited is None}
    return sizes, {(row.month, row.visited): row.number for row in rows if row.visited is not None}


def _silent(today: date) -> Any:  # days: the ORM takes the difference of two dates for an interval
    return literal(today, Date) - func.coalesce(CardStats.last_visit_day, CardStats.joined_day)


def _quiet(today: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The conditions for regulars and for newcomers; multiplied out, so that no interval is rounded."""
    silent, between = _silent(today), CardStats.last_visit_day - CardStats.first_visit_day
    regular = and_(CardStats.visits >= 2, silent * (CardStats.visits - 1) > 2 * between)
    return regular, and_(CardStats.visits < 2, silent > NEWCOMER_DAYS)


def _list(today: date, condition: ColumnElement[bool], most: int) -> tuple[QuietCard, ...]:
    between: Any = CardStats.last_visit_day - CardStats.first_visit_day
    every = case((CardStats.visits >= 2, func.div(between, CardStats.visits - 1)), else_=None)
    columns = (CardStats.card_id, CardStats.visits, CardStats.last_visit_day)
    silent = _silent(today).label("silent")
    most_first = (CardStats.visits.desc(), CardStats.card_id)
    # Chosen first, so that the names of those alone are looked up.
    chosen = select(*columns, silent, every.label("every")).where(condition).order_by(*most_first).limit(most).cte()
    rows = db.session.execute(
        select(*chosen.c, LoyaltyCard.card_number, Customer.name)
        .join(LoyaltyCard, LoyaltyCard.id == chosen.c.card_id)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .order_by(chosen.c.visits.desc(), chosen.c.card_id)
    )
    return tuple(
        QuietCard(
            card_id=row.card_id,
            card_number=row.card_number,
            name=row.name,
            visits=row.visits,
            last_visit_day=row.last_visit_day,
            silent_days=row.silent,
            every_days=None if row.every is None else int(row.every),
        )
        for row in rows
    )


def _mine(actor: Actor, period: Period) -> ColumnElement[bool]:
    return and_(CardStats.vendor_id == actor.vendor_id, at_store(CardStats.store_id, period.store_id))
