"""Random histories of cards, on the real database, step by step against a model in plain Python."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from loyalty import database
from loyalty.database import db
from loyalty.domain import limits
from loyalty.errors import LoyaltyError
from loyalty.services import idempotency, points, stamps, verification, voids
from loyalty.services.till import Scene
from tests.factories import make_reward, make_shop
from tests.services.ledger_history import KINDS, PRICES, STEPS, History

SEQUENCES, PARTS = 500, 20


@pytest.fixture
def clock() -> Iterator[None]:
    yield
    database.configure(clock_offset=timedelta())


def histories() -> st.SearchStrategy[tuple[int, list[str]]]:
    """A seed of the dice and the kinds of the steps."""
    return st.tuples(st.integers(0, 2**32), st.lists(st.sampled_from(KINDS), min_size=STEPS, max_size=STEPS))


@pytest.mark.parametrize("part", range(PARTS))
def test_it_does_what_the_model_does(part: int, context: None, clock: None) -> None:
    shop = make_shop()
    rewards = [make_reward(shop, f"Reward {price}", price) for price in PRICES]
    seeds: dict[str, int] = {}
    outcomes = 0

    @seed(part)
    @settings(max_examples=SEQUENCES // PARTS, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(drawn=histories())
    def check(drawn: tuple[int, list[str]]) -> None:
        nonlocal outcomes
        history = History(shop, rewards, drawn[0])
        seeds[history.card.card_number] = drawn[0]
        history.run(drawn[1])
        outcomes += len(history.done)

    check()
    findings = [(seeds[finding.card_number], finding) for finding in verification.verify().findings]
    assert findings == []
    assert len(seeds) >= SEQUENCES // PARTS
    # Histories in which everything is refused would prove nothing.
    assert outcomes > SEQUENCES / PARTS * STEPS / 12


MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "money is a float": (points, "points_for", lambda amount, rate, digits: int(amount / 10**digits * rate)),
    "a reward at every stamp": (stamps, "crossed_multiples", lambda before, after, target: int(after >= target)),
    "a change of zone opens a new day": (stamps, "_stamps_today", lambda scene: _count_of_last_day(scene)),
    "undo for an hour": (voids, "UNDO_WINDOW", timedelta(hours=1)),
    "a part may exceed what is left": (voids, "_part", lambda row, part: (row, part or row.left)),
    "every key is new": (idempotency, "read", lambda row, key, receipt: None),
}
# Which history shows it first is luck; these are numbers of dice where it is an early one.
EARLY = {"a change of zone opens a new day": (" 3", 2000), "undo for an hour": (" 2", 1000)}


def _count_of_last_day(scene: Scene) -> int:
    return limits.stamps_today(scene.state.stamps_day, scene.state.stamps_on_day, scene.origin.today)


def fails(history: History, steps: list[str]) -> bool:
    try:
        history.run(steps)
    except (AssertionError, pytest.fail.Exception, LoyaltyError, sa.exc.DBAPIError):
        db.session.rollback()
        return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS)
def test_it_notices_a_ledger_that_is_wrong(
    mutant: str, context: None, clock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_shop()
    rewards = [make_reward(shop, f"Reward {price}", price) for price in PRICES]
    monkeypatch.setattr(*MUTANTS[mutant])
    of_dice, first = EARLY.get(mutant, ("", 0))
    dice, numbers = random.Random(mutant + of_dice), range(first, first + SEQUENCES)
    assert any(fails(History(shop, rewards, number), dice.choices(KINDS, k=STEPS)) for number in numbers)
