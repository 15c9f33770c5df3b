"""Telling Google Wallet, whatever Google and the network do meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.adapters.token_bucket import LocalBucket
from loyalty.database import db, transaction
from loyalty.jobs import deliver, sweep
from loyalty.jobs import google as google_jobs
from loyalty.models.cards import LoyaltyCard
from loyalty.models.outbox import OutboxMessage
from loyalty.services import google_passes, outbox, programs, stamps
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.google_cards import make_api
from tests.google_fake import GoogleFake, Trouble
from tests.google_platform import (
    class_id,
    connected,
    deliver_all,
    object_id,
    open_rows,
    program_of,
    row_of,
    save,
)
from tests.mails import let_time_pass, make_mail

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def bakery(google: GoogleFake) -> Shop:
    return make_shop(cooldown_minutes=0, max_daily_stamps=50, stamps_target=50)


@pytest.fixture
def cleo(bakery: Shop, google: GoogleFake) -> Card:
    """Cleo's card, saved, and the calls that this took forgotten."""
    card = make_card(bakery)
    save(card)
    google.calls.clear()
    return card


def stamp(shop: Shop, card: Card) -> None:
    stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))


def shown(google: GoogleFake, card: Card) -> object:
    return google.objects[object_id(card)]["loyaltyPoints"]["balance"]["string"]


def only_open() -> OutboxMessage:
    (row,) = open_rows()
    return row


def wait_seconds(row: OutboxMessage) -> float:
    with transaction():
        now: datetime = db.session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return (row.not_before - now).total_seconds()


def mark_saved(ids: list[UUID]) -> None:
    with transaction():
        db.session.execute(
            sa.update(LoyaltyCard).where(LoyaltyCard.id.in_(ids)).values(google_saved_at=datetime.now(UTC))
        )


def test_it_makes_the_class_before_the_first_card(bakery: Shop, google: GoogleFake) -> None:
    save(make_card(bakery))
    assert google.methods() == ["POST loyaltyClass", "POST loyaltyObject"]
    save(make_card(bakery))
    assert google.methods() == ["POST loyaltyClass", "POST loyaltyObject", "POST loyaltyObject"]


def test_it_asks_for_nothing_where_nothing_changed(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    with transaction():
        google_passes.changed(card_id=cleo.card_id, vendor_id=bakery.vendor_id)
        google_passes.program_changed(vendor_id=bakery.vendor_id)
    deliver_all()
    deliver_all()
    assert google.calls == []
    assert not open_rows()


def test_it_tells_the_last_of_many_changes_in_few_calls(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    for _ in range(10):
        stamp(bakery, cleo)
    assert only_open().version == 10
    deliver_all()
    assert google.methods() == ["PATCH loyaltyObject"]
    assert shown(google, cleo) == "10/50"


def test_it_tells_the_last_state_of_changes_that_race_with_the_worker(
    bakery: Shop, cleo: Card, google: GoogleFake, app: Flask
) -> None:
    google.trouble.extend(Trouble(seconds=0.2) for _ in range(3))
    stamp(bakery, cleo)
    message_id = str(only_open().id)

    def work() -> None:
        with app.app_context():
            deliver(message_id)

    worker = threading.Thread(target=work)
    worker.start()
    for _ in range(9):
        stamp(bakery, cleo)
    worker.join()
    deliver_all()
    assert shown(google, cleo) == "10/50"
    assert 1 <= len(google.calls) <= 5
    assert not open_rows()


def test_it_tells_the_cards_of_a_program_that_changed(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    other = make_card(bakery)
    programs.change(actor=bakery.ada, changes={"stamps_target": 12}, key=make_key(bakery.ada))
    deliver_all()
    deliver_all()
    # The class of a stamp card does not name the target; the saved card does, and nobody has saved the other.
    assert google.methods() == ["PATCH loyaltyObject"]
    assert shown(google, cleo) == "0/12"
    assert object_id(other) not in google.objects


def test_it_makes_class_and_object_again_where_google_lost_them(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    google.classes.clear()
    google.objects.clear()
    stamp(bakery, cleo)
    deliver_all()
    assert shown(google, cleo) == "1/50"
    assert class_id(bakery) in google.classes
    assert not open_rows()


def test_it_patches_what_google_has_already(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    with transaction():
        db.session.execute(sa.update(LoyaltyCard).values(google_content_hash=None))
    stamp(bakery, cleo)
    deliver_all()
    assert google.methods() == ["POST loyaltyObject", "PATCH loyaltyObject"]
    assert shown(google, cleo) == "1/50"


@pytest.mark.parametrize("status", [408, 412, 429, 500, 502, 503])
def test_it_tries_again_after_what_passes(bakery: Shop, cleo: Card, google: GoogleFake, status: int) -> None:
    google.trouble.append(Trouble(status))
    stamp(bakery, cleo)
    deliver_all()
    row = only_open()
    assert (row.attempts, row.last_error is not None) == (1, True)
    let_time_pass(timedelta(minutes=1))
    google_jobs.configure(api=make_api(google), roots=None)
    deliver_all()
    assert shown(google, cleo) == "1/50"


def test_it_asks_for_a_new_token_once(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    google.forget_tokens()
    stamp(bakery, cleo)
    deliver_all()
    assert shown(google, cleo) == "1/50"
    assert google.tokens_given == 2


@pytest.mark.parametrize("status", [400, 403])
def test_it_gives_up_what_google_refuses_and_keeps_its_words(
    bakery: Shop, cleo: Card, google: GoogleFake, status: int
) -> None:
    google.trouble.append(Trouble(status, message="The issuer is not approved.", reason="forbidden"))
    stamp(bakery, cleo)
    row_id = only_open().id
    deliver_all()
    with transaction():
        row = db.session.get_one(OutboxMessage, row_id)
    assert row.gave_up_at is not None
    assert "The issuer is not approved." in str(row.last_error)


def test_it_leaves_google_alone_for_as_long_as_it_asks(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    google.trouble.append(Trouble(503, headers={"Retry-After": "900"}))
    stamp(bakery, cleo)
    deliver_all()
    assert 880 < wait_seconds(only_open()) <= 900


def test_it_spends_no_attempt_on_what_it_holds_back_itself(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    bucket = LocalBucket(rate=0.1, burst=1)
    google_jobs.configure(api=make_api(google, bucket), roots=None)
    assert bucket.take(0) == 0
    stamp(bakery, cleo)
    for _ in range(20):
        deliver_all()
        let_time_pass(timedelta(seconds=20))
    assert google.calls == []
    assert only_open().attempts == 0
    google_jobs.configure(api=make_api(google), roots=None)
    deliver_all()
    assert shown(google, cleo) == "1/50"


def test_it_says_why_it_tells_nobody(bakery: Shop, cleo: Card) -> None:
    stamp(bakery, cleo)
    row_id = only_open().id
    google_passes.configure(google=None, reason="Google Wallet needs a PUBLIC_URL with https.")
    deliver_all()
    with transaction():
        row = db.session.get_one(OutboxMessage, row_id)
    assert row.gave_up_at is not None
    assert row.last_error == "Google Wallet needs a PUBLIC_URL with https."


def test_it_survives_a_day_without_google(bakery: Shop, google: GoogleFake) -> None:
    cards = [make_card(bakery) for _ in range(8)]
    for card in cards:
        save(card)
    google.calls.clear()
    google.trouble.extend(Trouble(503) for _ in range(100_000))
    for _ in range(3):
        for card in cards:
            stamp(bakery, card)
    for _ in range(24):
        deliver_all()
        let_time_pass(timedelta(hours=1))
    # After three failures in a row it is left alone, and who was not asked has lost no attempt.
    assert len(google.calls) == 3
    assert sorted(row.attempts for row in open_rows()) == [0] * 5 + [1] * 3
    google.trouble.clear()
    google.calls.clear()
    google_jobs.configure(api=make_api(google), roots=None)
    deliver_all()
    assert google.methods() == ["PATCH loyaltyObject"] * 8
    assert {shown(google, card) for card in cards} == {"3/50"}


def test_it_lets_mails_go_first(bakery: Shop, cleo: Card) -> None:
    stamp(bakery, cleo)
    let_time_pass(timedelta(hours=1))
    mail_row = make_mail(bakery, cleo)
    assert outbox.due(limit=1) == [mail_row]


def test_it_stays_under_the_speed_that_all_workers_share(bakery: Shop, google: GoogleFake, tmp_path: Path) -> None:
    cards = [make_card(bakery) for _ in range(12)]
    with slowly(google, tmp_path):
        for card in cards:
            google_passes.offer_link(token=card.public_token, at=datetime.now(UTC))
        for _ in range(40):
            deliver_all()
            let_time_pass(timedelta(seconds=2))
            if not open_rows():
                break
    times = [call.at for call in google.calls]
    assert len(times) == 13
    assert times[-1] - times[0] >= 11 / 30


@contextmanager
def slowly(google: GoogleFake, folder: Path) -> Iterator[None]:
    """Thirty calls a second and no more."""
    with connected(google, folder, api=make_api(google, LocalBucket(rate=30, burst=1))):
        yield


def test_it_looks_once_a_day_who_has_a_card_saved(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    google.objects[object_id(cleo)]["hasUsers"] = False
    assert sweep.run(at=datetime.now(UTC)).looked_up == 0
    assert sweep.run(at=tomorrow).looked_up == 1
    assert row_of(cleo.card_id).google_saved_at is None
    assert sweep.run(at=tomorrow).looked_up == 0
    google.objects[object_id(cleo)]["hasUsers"] = True
    assert sweep.run(at=tomorrow + timedelta(hours=25)).looked_up == 1
    assert row_of(cleo.card_id).google_saved_at is not None
    assert only_open().subject_id == cleo.card_id


def test_it_looks_at_a_few_cards_at_a_time_and_stops_at_trouble(bakery: Shop, google: GoogleFake) -> None:
    for _ in range(25):
        save(make_card(bakery))
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    google.trouble.append(Trouble(503))
    assert sweep.run(at=tomorrow).looked_up == 0
    google_jobs.configure(api=make_api(google), roots=None)
    assert sweep.run(at=tomorrow).looked_up == 20
    assert sweep.run(at=tomorrow).looked_up == 5


def test_it_heals_what_was_given_up_on(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    google.trouble.append(Trouble(400))
    stamp(bakery, cleo)
    deliver_all()
    assert shown(google, cleo) == "0/50"
    google.objects[object_id(cleo)]["hasUsers"] = True
    sweep.run(at=datetime.now(UTC) + timedelta(hours=25))
    deliver_all()
    assert shown(google, cleo) == "1/50"


def test_it_puts_thousands_of_cards_on_the_list_at_once(
    bakery: Shop, cleo: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_passes, "_BATCH", 3)
    ids = [make_card(bakery).card_id for _ in range(7)]
    mark_saved(ids)
    assert google_passes.spread(program_id=bakery.program_id) == 8
    assert {row.subject_id for row in open_rows()} == {cleo.card_id, *ids}
    assert google_passes.spread(program_id=bakery.program_id) == 8
    assert {row.version for row in open_rows()} == {2}
    assert program_of(bakery).google_class_hash is not None
