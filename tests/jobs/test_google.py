"""Telling Google Wallet of programs and cards: few calls, the last state, at the speed that Google allows."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.adapters.token_bucket import LocalBucket
from loyalty.database import db, transaction
from loyalty.jobs import deliver
from loyalty.models.cards import LoyaltyCard
from loyalty.services import google_passes, programs
from tests.factories import Card, Shop, make_card, make_key
from tests.google_cards import make_api
from tests.google_fake import GoogleFake, Trouble
from tests.google_platform import (
    connected,
    deliver_all,
    object_id,
    open_rows,
    program_of,
    save,
)
from tests.jobs.google_shop import bakery, cleo, mark_saved, only_open, shown, stamp
from tests.mails import let_time_pass

__all__ = ["bakery", "cleo"]

pytestmark = pytest.mark.usefixtures("context")


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


def test_it_patches_what_google_has_already(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    with transaction():
        db.session.execute(sa.update(LoyaltyCard).values(google_content_hash=None))
    stamp(bakery, cleo)
    deliver_all()
    assert google.methods() == ["POST loyaltyObject", "PATCH loyaltyObject"]
    assert shown(google, cleo) == "1/50"


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
