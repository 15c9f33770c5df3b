"""The night's run: customers are warned before their points expire, and what was warned of in vain is taken.

Once per calendar day of a shop, from two o'clock on, in batches that commit each. Every step is decided anew under the
card's lock from what stands in the database, so a run that was killed goes on where it was, and two at once share the
cards between them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from loyalty.database import AnyRow, clock, db, transaction
from loyalty.domain.expiry import Decision, Rules, Step, decide, is_night_over
from loyalty.domain.values import LoyaltyType
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services import expiry_cards, expiry_rules, expiry_steps
from loyalty.services.expiry_cards import Night

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Ran:
    """How many shops had their night, how many cards were warned and lost points, and how many a till held."""

    shops: int = 0
    warned: int = 0
    expired: int = 0
    held: int = 0


def run(*, at: datetime) -> Ran:
    """Let every shop have its night that has not had it today; safe to be killed, repeated and run twice at once."""
    total: Counter[str] = Counter()
    for program in _open_programs():
        now = at.astimezone(ZoneInfo(program.timezone))
        if is_night_over(now=now, ran_on=program.expiry_ran_on):
            total.update(_run_for(program, expiry_cards.night(at=at, timezone=program.timezone)))
    return Ran(total["shops"], total["warned"], total["expired"], total["held"])


def _open_programs() -> Sequence[AnyRow]:
    """Read the programs whose customers could collect: where they cannot, no points run out."""
    with transaction():
        return db.session.execute(
            select(
                LoyaltyProgram.id,
                LoyaltyProgram.vendor_id,
                LoyaltyProgram.points_expiration_days,
                LoyaltyProgram.expiry_ran_on,
                Vendor.timezone,
            )
            .join(Vendor, Vendor.id == LoyaltyProgram.vendor_id)
            .where(
                LoyaltyProgram.points_expiration_days.is_not(None),
                LoyaltyProgram.is_active,
                LoyaltyProgram.closes_on.is_(None),
                LoyaltyProgram.loyalty_type != LoyaltyType.STAMPS.value,
                Vendor.status == "active",
            )
            .order_by(LoyaltyProgram.id)
        ).all()


def _run_for(program: AnyRow, night: Night) -> Counter[str]:
    """Go through a shop's cards; what a till holds just now is left for the next sweep, and the night is not over."""
    found, total = _find(program, night), Counter[str]()
    for start in range(0, len(found), BATCH):
        total.update(_take_batch(program, night, found[start : start + BATCH]))
    total["held"] = len(found) - total["looked"]
    if not total["held"]:
        total["shops"] = 1
        ended = update(LoyaltyProgram).where(LoyaltyProgram.id == program.id)
        with transaction():
            db.session.execute(ended.values(expiry_ran_on=night.today, updated_at=LoyaltyProgram.updated_at))
    return total


def _find(program: AnyRow, night: Night) -> list[UUID]:
    """Find the cards about which something is to be done, without a lock."""
    with transaction():
        rules = expiry_rules.read(db.session.get_one(LoyaltyProgram, program.id, populate_existing=True))
        days = program.points_expiration_days
        rows = expiry_cards.find(vendor_id=program.vendor_id, days=days, night=night)
        return [row.id for row in rows if _decision(rules, row, night).step is not Step.KEEP]


def _take_batch(program: AnyRow, night: Night, card_ids: Sequence[UUID]) -> Counter[str]:
    """Lock some cards, decide anew, and do it: all of them in one transaction."""
    done: Counter[str] = Counter()
    with transaction():
        # Shared: the rule does not change while points are taken by it.
        locking = select(LoyaltyProgram).where(LoyaltyProgram.id == program.id).with_for_update(read=True)
        rules = expiry_rules.read(db.session.execute(locking.execution_options(populate_existing=True)).scalar_one())
        rows = expiry_cards.lock(vendor_id=program.vendor_id, card_ids=card_ids)
        steps = [(row, _decision(rules, row, night)) for row in rows]
        expiry_steps.take(steps=steps, night=night, now=clock())
    for _, decision in steps:
        done["warned"] += decision.step is Step.ANNOUNCE
        done["expired"] += decision.step is Step.TAKE
    done["looked"] = len(rows)
    return done


def _decision(rules: Rules, row: AnyRow, night: Night) -> Decision:
    return decide(rules=rules, holding=expiry_cards.holding(row, night), today=night.today)
