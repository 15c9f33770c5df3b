"""Counting days of a vendor from the ledger, whole: however often that is done, the sums are the same."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    true,
    union_all,
)

from loyalty.database import Base, db
from loyalty.domain.values import TransactionType as Kind
from loyalty.services.originals import VOID_OF, VOIDS

Expression = ColumnElement[Any]

# The columns of the ledger that say which kinds go into a sum, and with which sign.
STAMP_SUMS: Final = {
    "stamps_earned": (1, (Kind.STAMP_EARNED, Kind.WELCOME_BONUS)),
    "stamps_redeemed": (-1, (Kind.STAMP_REDEEMED, Kind.REDEMPTION_VOIDED)),
    "stamps_voided": (-1, (Kind.STAMP_VOIDED,)),
    "stamps_adjusted": (1, (Kind.STAMP_ADJUSTMENT,)),
}
POINT_SUMS: Final = {
    "points_earned": (1, (Kind.POINTS_EARNED, Kind.WELCOME_BONUS)),
    "points_redeemed": (-1, (Kind.POINTS_REDEEMED, Kind.REDEMPTION_VOIDED)),
    "points_voided": (-1, (Kind.POINTS_VOIDED,)),
    "points_adjusted": (1, (Kind.POINTS_ADJUSTMENT,)),
    "points_expired": (-1, (Kind.POINTS_EXPIRED,)),
}
REWARDS: Final = (Kind.STAMP_REDEEMED, Kind.POINTS_REDEEMED)
# What a customer comes for, which is also what can be taken back.
VISITS: Final = [kind.value for kind in VOID_OF]

# A day begins in the first zone 14 hours before UTC's and ends in the last 12 hours after it; the rest is for the
# microseconds that two rows of one transaction are apart.
_DAY_BEGINS, _DAY_ENDS = timedelta(hours=-15), timedelta(hours=37)
_QUARTER: Final = 900
_NEEDED: Final = (
    *("card_id", "store_id", "staff_pin_id", "transaction_type", "stamps_delta", "points_delta"),
    *("purchase_amount_cents", "local_day", "transaction_at"),
)

_tables = Base.metadata.tables
_row = _tables["loyalty_transactions"]
_card = _tables["loyalty_cards"]
_void = _row.alias("void")
_reports = _tables["staff_reports"]
_standing = _tables["stats_standing"]
_daily, _times, _staff = (_tables[name] for name in ("daily_stats", "daily_visit_times", "daily_staff_stats"))


def left_of(row: Any) -> Expression:  # a table or an alias of it
    """What no void has taken back of a row, in stamps or points; 0 for rows that cannot be taken back."""
    taken = (
        select(func.coalesce(func.sum(_amount(_void)), 0))
        .where(_void.c.related_transaction_id == row.c.id, _void.c.transaction_type.in_(VOIDS))
        .correlate(row)
        .scalar_subquery()
    )
    return case((row.c.transaction_type.in_(VISITS), _amount(row) - taken), else_=0)


def recount(*, vendor_id: UUID, days: Sequence[date], staff_from: date) -> None:
    """Replace all sums of some days of a vendor, inside the caller's transaction.

    Figures per member of staff are kept from `staff_from` on, and only where the vendor has switched them on.
    """
    begin = datetime.combine(min(days), time(0), tzinfo=UTC) + _DAY_BEGINS
    end = datetime.combine(max(days), time(0), tzinfo=UTC) + _DAY_ENDS
    asked = {"vendor": vendor_id, "days": list(days), "begin": begin, "end": end, "staff_from": staff_from}
    for table in (_daily, _times, _staff):
        mine = (table.c.vendor_id == vendor_id) & table.c.local_day.in_(days)
        db.session.execute(delete(table).where(mine))
    db.session.execute(_COUNT, asked)
    db.session.execute(delete(_standing).where(_standing.c.vendor_id == vendor_id))
    db.session.execute(_STAND, {"vendor": vendor_id})


def _rows_of_days() -> CTE:
    # By its time, since that is what the ledger has an index for.
    rows = select(*(_row.c[name] for name in _NEEDED), left_of(_row).label("left")).where(
        _row.c.vendor_id == bindparam("vendor"),
        _row.c.transaction_at >= bindparam("begin"),
        _row.c.transaction_at < bindparam("end"),
        _row.c.local_day.in_(bindparam("days", expanding=True)),
    )
    # Materialized: read and looked up once for all that is added up.
    return rows.cte("day").prefix_with("MATERIALIZED")


def _amount(row: Any) -> Expression:  # a table or an alias of it
    return func.abs(row.c.stamps_delta) + func.abs(row.c.points_delta)


def _sum(value: Expression, *conditions: Expression) -> Expression:
    return cast(func.coalesce(func.sum(value).filter(*(conditions or (true(),))), 0), BigInteger)


def _is(day: CTE, *kinds: Kind) -> Expression:
    return day.c.transaction_type.in_([kind.value for kind in kinds])


def _sums(day: CTE) -> dict[str, Expression]:
    """What the rows of a day and store add up to."""
    kept = day.c.left > 0
    bought = _is(day, Kind.POINTS_EARNED) & kept & day.c.purchase_amount_cents.is_not(None)
    # Of a purchase that was taken back in part, the same part of its amount goes, rounded down.
    voided = func.div(day.c.purchase_amount_cents * (day.c.points_delta - day.c.left), day.c.points_delta)
    return {
        "transactions": func.count(),
        "visits": func.count(day.c.card_id.distinct()).filter(kept),
        "cards_created": func.count().filter(_is(day, Kind.CARD_CREATED)),
        **{name: _sum(sign * day.c.stamps_delta, _is(day, *kinds)) for name, (sign, kinds) in STAMP_SUMS.items()},
        **{name: _sum(sign * day.c.points_delta, _is(day, *kinds)) for name, (sign, kinds) in POINT_SUMS.items()},
        "redemptions": func.count().filter(_is(day, *REWARDS), kept),
        "purchases": func.count().filter(bought),
        "revenue_cents": _sum(day.c.purchase_amount_cents - voided, bought),
    }


def _changes(day: CTE) -> dict[str, Expression]:
    """What the rows of a day change for the store that made their cards."""
    came, went = (Kind.CARD_CREATED.value, Kind.CARD_REACTIVATED.value), Kind.CARD_DEACTIVATED.value
    member = case((day.c.transaction_type.in_(came), 1), (day.c.transaction_type == went, -1), else_=0)
    return {
        "members_change": _sum(member),
        "stamps_change": _sum(day.c.stamps_delta),
        "points_change": _sum(day.c.points_delta),
    }


def _count_days(day: CTE) -> Any:
    sums, changes = _sums(day), _changes(day)
    none = cast(literal(0), BigInteger)
    here = [day.c.store_id, day.c.local_day]
    acted = select(*here, *_named(sums), *(none.label(name) for name in changes)).group_by(*here)
    home = [_card.c.enrolled_at_store_id.label("store_id"), day.c.local_day]
    # The card's shop is said too: by it one shop's cards are read, where otherwise those of all would be.
    mine = (_card.c.id == day.c.card_id) & (_card.c.vendor_id == bindparam("vendor"))
    changed = select(*home, *(none.label(name) for name in sums), *_named(changes)).join(_card, mine).group_by(*home)
    both = union_all(acted, changed).subquery("both")
    names = [*sums, *changes]
    totals = [_sum(both.c[name]) for name in names]
    place = [both.c.store_id, both.c.local_day]
    query = select(bindparam("vendor"), *place, *totals).group_by(*place)
    return insert(_daily).from_select(["vendor_id", "store_id", "local_day", *names], query, include_defaults=False)


def _count_times(day: CTE) -> Any:
    place = [day.c.store_id, day.c.local_day]
    begun = (
        select(*place, day.c.card_id, func.min(day.c.transaction_at).label("at"))
        .where(day.c.left > 0)
        .group_by(*place, day.c.card_id)
        .subquery("begun")
    )
    seconds = cast(func.floor(func.date_part("epoch", begun.c.at)), BigInteger)
    quarter = func.to_timestamp(seconds - seconds % _QUARTER)
    query = select(bindparam("vendor"), begun.c.store_id, begun.c.local_day, quarter, func.count()).group_by(
        begun.c.store_id, begun.c.local_day, quarter
    )
    columns = ["vendor_id", "store_id", "local_day", "quarter_at", "visits"]
    return insert(_times).from_select(columns, query, include_defaults=False)


def _count_staff(day: CTE) -> Any:
    counts: dict[str, Expression] = {
        "transactions": func.count(),
        "cards_created": func.count().filter(_is(day, Kind.CARD_CREATED)),
        "stamps_earned": _sum(day.c.stamps_delta, _is(day, Kind.STAMP_EARNED)),
        "points_earned": _sum(day.c.points_delta, _is(day, Kind.POINTS_EARNED)),
        "redemptions": func.count().filter(_is(day, *REWARDS), day.c.left > 0),
        "voids": func.count().filter(day.c.transaction_type.in_(VOIDS)),
    }
    key = [day.c.store_id, day.c.local_day, day.c.staff_pin_id]
    # None where the vendor has not switched them on, and no day is after that.
    since = select(_reports.c.since_day).where(_reports.c.vendor_id == bindparam("vendor")).scalar_subquery()
    query = (
        select(bindparam("vendor"), *key, *_named(counts))
        .where(day.c.staff_pin_id.is_not(None), day.c.local_day >= since, day.c.local_day >= bindparam("staff_from"))
        .group_by(*key)
    )
    columns = ["vendor_id", "store_id", "local_day", "staff_pin_id", *counts]
    return insert(_staff).from_select(columns, query, include_defaults=False)


def _count_all(day: CTE) -> Any:
    return _count_days(day).add_cte(_count_times(day).cte("times"), _count_staff(day).cte("staff"))


def _stand() -> Any:
    """Sum the changes of all of a vendor's days: after each count anew, since days are counted again and again."""
    changes = ("members_change", "stamps_change", "points_change")
    sums = (_sum(_daily.c[name]) for name in changes)
    query = select(bindparam("vendor"), _daily.c.store_id, *sums).where(_daily.c.vendor_id == bindparam("vendor"))
    columns = ["vendor_id", "store_id", "members", "stamps", "points"]
    return insert(_standing).from_select(columns, query.group_by(_daily.c.store_id), include_defaults=False)


def _named(sums: dict[str, Expression]) -> list[Expression]:
    return [value.label(name) for name, value in sums.items()]


_COUNT: Final = _count_all(_rows_of_days())
_STAND: Final = _stand()
