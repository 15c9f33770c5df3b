"""Workers that are killed anywhere between claim, act and record, and stopped for longer than their leases."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config
from loyalty.database import db, transaction
from loyalty.models.outbox import OPEN, OutboxMessage
from loyalty.services import outbox, programs
from tests.crash_worker import CrashWorker, crash_worker
from tests.factories import Card, Shop, make_card, make_key
from tests.google_fake import GoogleFake, Trouble
from tests.google_platform import PUBLIC_URL
from tests.jobs.apple_world import World, world
from tests.jobs.google_shop import bakery, cleo, shown, stamp
from tests.mails import let_time_pass

__all__ = ["bakery", "cleo", "world"]

# More than a delivery has; the test ends at the first that nothing dies at.
MOST_POINTS = 100


def google_settings(google: GoogleFake, folder: Path) -> dict[str, str]:
    return {
        "PUBLIC_URL": PUBLIC_URL,
        "GOOGLE_ISSUER_ID": google.issuer_id,
        "GOOGLE_SERVICE_ACCOUNT_FILE": str(google.account_file(folder)),
        "GOOGLE_WALLET_URL": google.wallet_url,
    }


@pytest.fixture
def pusher(config: Config, world: World) -> Iterator[CrashWorker]:
    with crash_worker(config, **world.settings(config)) as worker:
        yield worker


@pytest.fixture
def teller(config: Config, google: GoogleFake, tmp_path: Path) -> Iterator[CrashWorker]:
    with crash_worker(config, **google_settings(google, tmp_path)) as worker:
        yield worker


@pytest.fixture
def forgetful(
    request: pytest.FixtureRequest, config: Config, google: GoogleFake, tmp_path: Path
) -> Iterator[CrashWorker]:
    """A worker that forgets the rule which the test names."""
    with crash_worker(config, **google_settings(google, tmp_path), FORGETS=request.param) as worker:
        yield worker


def open_row(kind: str = "%") -> UUID:
    """The one thing that is to be told."""
    waiting = sa.select(OutboxMessage.id).where(sa.text(OPEN), OutboxMessage.kind.like(kind))
    with transaction():
        return db.session.execute(waiting).scalar_one()


def rows() -> list[OutboxMessage]:
    with transaction():
        db.session.expire_all()
        return list(db.session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id)))


def finish(worker: CrashWorker) -> None:
    """Be the worker that comes after the dead one, when its lease is over."""
    let_time_pass(outbox.LEASE)
    while waiting := outbox.due(limit=10):
        for message_id in waiting:
            assert worker.deliver(message_id) == "done"
    assert [row.id for row in rows() if row.delivered_at is None] == []


def test_it_wakes_the_phone_wherever_a_worker_was_killed(app: Flask, world: World, pusher: CrashWorker) -> None:
    phone, held = world.phone()
    ends, before, pushes = [], 0, []
    for point in range(1, MOST_POINTS):
        world.stamp()
        with app.app_context():
            ends.append(pusher.deliver(open_row("apple.%"), die_at=point))
            finish(pusher)
            balance = world.read("SELECT stamp_count FROM loyalty_cards")[0][0]
        phone.wake()
        assert held.stamps == f"{balance}/10", point
        pushes.append(len(world.apns.seen) - before)
        before = len(world.apns.seen)
        if ends[-1] == "done":
            break
    assert ends == ["killed"] * (len(ends) - 1) + ["done"]
    assert len(ends) > 10
    # Twice only where the worker died between the push and its record.
    assert set(pushes) == {1, 2}


def test_it_tells_all_cards_of_a_program_wherever_its_worker_was_killed(
    app: Flask, config: Config, world: World
) -> None:
    with app.app_context():
        cards = [world.card, *(make_card(world.shop) for _ in range(4))]
    phones = [world.phone(card) for card in cards]
    ends: list[str] = []
    with crash_worker(config, **world.settings(config), BATCH="2") as worker, app.app_context():
        for point in range(1, MOST_POINTS, 7):
            key, target = make_key(world.shop.ada), 11 + len(ends)
            programs.change(actor=world.shop.ada, changes={"stamps_target": target}, key=key)
            ends.append(worker.deliver(open_row("apple.program"), die_at=point))
            finish(worker)
            for phone, held in phones:
                phone.wake()
                assert held.stamps.endswith(f"/{target}"), point
            if ends[-1] == "done":
                break
    assert ends == ["killed"] * (len(ends) - 1) + ["done"]
    assert len(ends) > 2


@pytest.mark.usefixtures("context")
def test_it_tells_google_wherever_a_worker_was_killed(
    bakery: Shop, cleo: Card, google: GoogleFake, teller: CrashWorker
) -> None:
    ends, calls = [], []
    for point in range(1, MOST_POINTS):
        stamp(bakery, cleo)
        google.calls.clear()
        ends.append(teller.deliver(open_row(), die_at=point))
        finish(teller)
        assert shown(google, cleo) == f"{point}/50"
        calls.append(google.methods())
        if ends[-1] == "done":
            break
    assert ends == ["killed"] * (len(ends) - 1) + ["done"]
    assert len(ends) > 10
    assert {call for made in calls for call in made} == {"PATCH loyaltyObject"}
    assert {len(made) for made in calls} == {1, 2}


@pytest.mark.usefixtures("context")
def test_it_tells_google_once_when_four_workers_race(
    bakery: Shop, cleo: Card, google: GoogleFake, teller: CrashWorker
) -> None:
    for number in range(1, 6):
        stamp(bakery, cleo)
        assert teller.race(open_row(), 4) == "done done done done"
        assert google.methods() == ["PATCH loyaltyObject"] * number
        assert shown(google, cleo) == f"{number}/50"


def outrun(worker: CrashWorker, shop: Shop, card: Card) -> None:
    """Let a worker that was stopped with an old state in its hands wake after another has told the new one."""
    stamp(shop, card)
    message_id = open_row()
    stopped = worker.deliver(message_id, stop_before_call=1)
    let_time_pass(outbox.LEASE)
    stamp(shop, card)
    assert worker.deliver(message_id) == "done"
    assert worker.go_on(stopped) == "done"
    for waiting in outbox.due(limit=10):
        worker.deliver(waiting)


@pytest.mark.usefixtures("context")
def test_it_ends_with_the_present_state_when_a_stopped_worker_wakes_after_its_lease(
    bakery: Shop, cleo: Card, google: GoogleFake, teller: CrashWorker
) -> None:
    outrun(teller, bakery, cleo)
    assert shown(google, cleo) == "2/50"
    assert [row.delivered_at is None for row in rows()] == [False] * len(rows())


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("forgetful", ["to tell again"], indirect=True)
def test_it_would_show_a_worker_that_has_the_last_word_although_it_was_late(
    bakery: Shop, cleo: Card, google: GoogleFake, forgetful: CrashWorker
) -> None:
    outrun(forgetful, bakery, cleo)
    assert shown(google, cleo) == "1/50"


def wake_three_refused(worker: CrashWorker, google: GoogleFake, shop: Shop, card: Card) -> OutboxMessage:
    """Stop three workers before they speak, let a fourth do the work, and have Google refuse the three."""
    stamp(shop, card)
    message_id = open_row()
    stopped = []
    for _ in range(3):
        stopped.append(worker.deliver(message_id, stop_before_call=1))
        let_time_pass(outbox.LEASE + timedelta(seconds=1))
    assert worker.deliver(message_id) == "done"
    google.trouble.extend(Trouble(400) for _ in stopped)
    assert [worker.go_on(pid) for pid in stopped] == ["done"] * 3
    assert not google.trouble
    return next(row for row in rows() if row.id == message_id)


@pytest.mark.usefixtures("context")
def test_it_refuses_the_record_of_workers_that_were_stopped_beyond_their_lease(
    bakery: Shop, cleo: Card, google: GoogleFake, teller: CrashWorker
) -> None:
    row = wake_three_refused(teller, google, bakery, cleo)
    assert row.delivered_at is not None
    assert (row.gave_up_at, row.last_error, row.attempts) == (None, None, 4)
    assert shown(google, cleo) == "1/50"


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("forgetful", ["whose the lease is"], indirect=True)
def test_it_would_show_a_worker_that_writes_without_a_lease(
    bakery: Shop, cleo: Card, google: GoogleFake, forgetful: CrashWorker
) -> None:
    row = wake_three_refused(forgetful, google, bakery, cleo)
    assert row.delivered_at is not None
    assert row.gave_up_at is not None
