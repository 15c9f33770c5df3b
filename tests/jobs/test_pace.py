"""How often one card's wallets are told: at once, then together with what follows."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from loyalty import jobs
from loyalty.database import new_id
from loyalty.jobs.pace import BURST, SECONDS_BETWEEN, Pace
from tests.factories import Card, Shop
from tests.google_fake import GoogleFake
from tests.google_platform import deliver_all
from tests.jobs.apple_world import World, world
from tests.jobs.google_shop import bakery, cleo, only_open, shown, stamp
from tests.mails import let_time_pass

__all__ = ["bakery", "cleo", "world"]

CARD, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
def paced() -> Iterator[None]:
    """Keep the pace of this test from all others."""
    yield
    jobs.configure(pace=None)


def test_it_lets_the_first_pass_and_spaces_the_rest() -> None:
    pace = Pace()
    assert [pace.wait("google.object", CARD) for _ in range(BURST)] == [0.0] * BURST
    assert 0 < pace.wait("google.object", CARD) <= SECONDS_BETWEEN
    assert pace.wait("google.object", OTHER) == 0.0
    assert pace.wait("apple.push", CARD) == 0.0


def test_it_remembers_only_whom_it_has_just_told() -> None:
    pace = Pace(seconds_between=1e-9)
    for _ in range(1000):
        pace.wait("apple.push", new_id())
    assert len(pace._told) <= 2


@pytest.mark.usefixtures("context", "paced")
def test_it_tells_google_of_ten_stamps_in_a_few_calls(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    jobs.configure(pace=Pace())
    for _ in range(10):
        stamp(bakery, cleo)
        deliver_all()
    assert google.methods() == ["PATCH loyaltyObject"] * BURST
    waiting = only_open()
    assert (waiting.version, waiting.attempts) == (10 - BURST, 0)
    jobs.configure(pace=Pace())
    let_time_pass(timedelta(seconds=SECONDS_BETWEEN))
    deliver_all()
    assert google.methods() == ["PATCH loyaltyObject"] * (BURST + 1)
    assert shown(google, cleo) == "10/50"


@pytest.mark.usefixtures("paced")
def test_it_wakes_a_phone_a_few_times_for_ten_stamps(world: World) -> None:
    phone, held = world.phone()
    jobs.configure(pace=Pace())
    for delta in (1, 1, 1, 1, 1, -1, -1, 1, 1, 1):
        world.stamp(delta)
        world.deliver()
    assert world.apns.tokens == [phone.push_token] * BURST
    assert world.read("SELECT version, attempts FROM outbox WHERE delivered_at IS NULL") == [(10 - BURST, 0)]
    jobs.configure(pace=Pace())
    world.wait()
    world.deliver()
    assert world.apns.tokens == [phone.push_token] * (BURST + 1)
    phone.wake()
    assert held.stamps == "9/10"


@pytest.mark.usefixtures("context", "paced")
def test_it_tells_each_change_that_comes_alone_at_once(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    jobs.configure(pace=Pace(seconds_between=0.001))
    for number in range(1, 6):
        stamp(bakery, cleo)
        deliver_all()
        assert shown(google, cleo) == f"{number}/50"
