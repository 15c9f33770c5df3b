"""Counting cards from their ledger, whole: when a card's customer came, came again, and had a reward."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Date, Subquery, Uuid, any_, bindparam, cast, func, select, union
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import Base, db
from loyalty.services.originals import VOIDS
from loyalty.services.stats_days import REWARDS, VISITS

_tables = Base.metadata.tables
_row, _card, _stats = (_tables[name] for name in ("loyalty_transactions", "loyalty_cards", "card_stats"))
_original = _row.alias("original")
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
    query = select(*known.values()).join(facts, facts.c.card_id == _card.c.id)
    upsert = insert(_stats).from_select(list(known), query, include_defaults=False)
    changed = {name: upsert.excluded[name] for name in known if name != "card_id"}
    return upsert.on_conflict_do_update(index_elements=["card_id"], set_=changed)


def _facts() -> Subquery:
    """Put together what the rows of each card say: its first day, its days and months with a visit, its rewards."""
    taken = (
        select(
            _row.c.related_transaction_id.label("id"),
            func.sum(func.abs(_row.c.stamps_delta) + func.abs(_row.c.points_delta)).label("amount"),
        )
        .where(_row.c.card_id == _CARDS, _row.c.transaction_type.in_(VOIDS))
        .group_by(_row.c.related_transaction_id)
        .subquery("taken")
    )
    left = func.abs(_row.c.stamps_delta) + func.abs(_row.c.points_delta) - func.coalesce(taken.c.amount, 0)
    came = _row.c.transaction_type.in_(VISITS) & (left > 0)
    had_reward = came & _row.c.transaction_type.in_([kind.value for kind in REWARDS])
    month = cast(func.date_trunc("month", _row.c.local_day), Date)
    return (
        select(
            _row.c.card_id,
            func.max(_row.c.seq).label("ledger_seq"),
            func.min(_row.c.local_day).filter(_row.c.seq == 1).label("joined_day"),
            # Distinct values come in order.
            func.array_agg(_row.c.local_day.distinct(), type_=ARRAY(Date)).filter(came).label("days"),
            func.min(_row.c.local_day).filter(had_reward).label("first_reward_day"),
            func.array_agg(month.distinct(), type_=ARRAY(Date)).filter(came).label("months"),
        )
        .outerjoin(taken, taken.c.id == _row.c.id)
        .where(_row.c.card_id == _CARDS)
        .group_by(_row.c.card_id)
        .subquery("facts")
    )


def _mark_days() -> Any:  # an INSERT of what two queries find
    cards, seqs = bindparam("cards", type_=ARRAY(Uuid)), bindparam("seqs", type_=ARRAY(BigInteger))
    behind = func.unnest(cards, seqs).table_valued("card_id", "seq", name="behind").render_derived()
    new = (_row.c.card_id == behind.c.card_id) & (_row.c.seq > behind.c.seq)
    own = select(_row.c.vendor_id, _row.c.local_day).join(behind, new)
    taken_back = (
        select(_row.c.vendor_id, _original.c.local_day)
        .join(behind, new)
        .join(_original, _original.c.id == _row.c.related_transaction_id)
    )
    due = _tables["stats_due"]
    return insert(due).from_select(["vendor_id", "local_day"], union(own, taken_back), include_defaults=False)


_COUNT: Final = _count_cards()
_MARK: Final = _mark_days()
