"""Counting cards from their ledger, whole: when a card's customer came, came again, and had a reward."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Date, Subquery, Uuid, any_, bindparam, cast, func, select, true, union
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import Base, db
from loyalty.services.originals import VOIDS
from loyalty.services.stats_days import REWARDS, VISITS

_tables = Base.metadata.tables
_row, _card, _stats = (_tables[name] for name in ("loyalty_transactions", "loyalty_cards", "card_stats"))
_original = _row.alias("original")
_NEEDED: Final = (
    *("id", "card_id", "seq", "local_day", "transaction_type", "related_transaction_id"),
    *("stamps_delta", "points_delta"),
)
_CARDS: Final = any_(bindparam("cards", type_=ARRAY(Uuid)))


def find_behind(*, card_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return, of these cards, those with rows that are not counted yet, and up to which row each of them is."""
    counted = func.coalesce(_stats.c.ledger_seq, 0)
    query = (
        select(_card.c.id, counted.label("counted"))
        .outerjoin(_stats, _stats.c.card_id == _card.c.id)
        .where(_card.c.id == _CARDS, _card.c.ledger_seq > counted)
    )
    return {row.id: row.counted for row in db.session.execute(query, {"cards": list(card_ids)})}


def recount(*, card_ids: Sequence[UUID]) -> None:
    """Replace what is known of these cards, inside the caller's transaction."""
    db.session.execute(_COUNT, {"cards": list(card_ids)})


def mark_days(*, behind: Mapping[UUID, int]) -> None:
    """Have the days counted again that rows after these stand on or take something back from."""
    db.session.execute(_MARK, {"cards": list(behind), "seqs": list(behind.values())})


def _count_cards() -> Any:  # an upsert whose columns are put together here
    facts = _facts()
    visits = func.coalesce(func.cardinality(facts.c.days), 0)
    known = {
        "card_id": _card.c.id,
        "vendor_id": _card.c.vendor_id,
        "store_id": _card.c.enrolled_at_store_id,
        "is_active": _card.c.is_active,
        "ledger_seq": facts.c.ledger_seq,
        "joined_day": facts.c.joined_day,
        "visits": visits,
        "first_visit_day": facts.c.days[1],
        "second_visit_day": facts.c.days[2],
        "last_visit_day": facts.c.days[visits],
        "first_reward_day": facts.c.first_reward_day,
        "visited_months": func.coalesce(facts.c.months, cast([], ARRAY(Date))),
    }
    # Said of the cards too: by it they are looked up, where otherwise all would be read.
    query = select(*known.values()).join(facts, facts.c.card_id == _card.c.id).where(_card.c.id == _CARDS)
    upsert = insert(_stats).from_select(list(known), query, include_defaults=False)
    changed = {name: upsert.excluded[name] for name in known if name != "card_id"}
    return upsert.on_conflict_do_update(index_elements=["card_id"], set_=changed)


def _facts() -> Subquery:
    """Put together what the rows of each card say: its first day, its days and months with a visit, its rewards."""
    rows = select(*(_row.c[name] for name in _NEEDED)).where(_row.c.card_id == _CARDS)
    # Materialized: voids are looked for among these rows, and not among those of all cards.
    row = rows.cte("mine").prefix_with("MATERIALIZED").c
    amount = func.abs(row.stamps_delta) + func.abs(row.points_delta)
    taken = (
        select(row.related_transaction_id.label("id"), func.sum(amount).label("amount"))
        .where(row.transaction_type.in_(VOIDS))
        .group_by(row.related_transaction_id)
        .subquery("taken")
    )
    left = amount - func.coalesce(taken.c.amount, 0)
    came = row.transaction_type.in_(VISITS) & (left > 0)
    had_reward = came & row.transaction_type.in_([kind.value for kind in REWARDS])
    month = cast(func.date_trunc("month", row.local_day), Date)
    return (
        select(
            row.card_id,
            func.max(row.seq).label("ledger_seq"),
            func.min(row.local_day).filter(row.seq == 1).label("joined_day"),
            # Distinct values come in order.
            func.array_agg(row.local_day.distinct(), type_=ARRAY(Date)).filter(came).label("days"),
            func.min(row.local_day).filter(had_reward).label("first_reward_day"),
            func.array_agg(month.distinct(), type_=ARRAY(Date)).filter(came).label("months"),
        )
        .outerjoin(taken, taken.c.id == row.id)
        .group_by(row.card_id)
        .subquery("facts")
    )


def _mark_days() -> Any:  # an INSERT of what a query finds
    cards, seqs = bindparam("cards", type_=ARRAY(Uuid)), bindparam("seqs", type_=ARRAY(BigInteger))
    behind = func.unnest(cards, seqs).table_valued("card_id", "seq", name="behind").render_derived()
    taken_back = select(_original.c.local_day).where(_original.c.id == _row.c.related_transaction_id).scalar_subquery()
    # OFFSET keeps it a question for each card, which the index answers: how many of its rows are new the planner cannot
    # know, and of many cards it would rather read the whole ledger.
    new = (
        select(_row.c.vendor_id, _row.c.local_day, taken_back.label("original_day"))
        .where(_row.c.card_id == behind.c.card_id, _row.c.seq > behind.c.seq)
        .offset(0)
        .lateral("new")
    )
    found = select(new).select_from(behind).join(new, true()).cte("found").prefix_with("MATERIALIZED").c
    own = select(found.vendor_id, found.local_day)
    earlier = select(found.vendor_id, found.original_day).where(found.original_day.is_not(None))
    due = _tables["stats_due"]
    return insert(due).from_select(["vendor_id", "local_day"], union(own, earlier), include_defaults=False)


_COUNT: Final = _count_cards()
_MARK: Final = _mark_days()
