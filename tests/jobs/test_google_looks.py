"""Asking Google once a day who has which cards saved."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.jobs import google as google_jobs
from loyalty.jobs import sweep
from tests.factories import Card, Shop, make_card
from tests.google_cards import make_api
from tests.google_fake import GoogleFake, Trouble
from tests.google_platform import (
    deliver_all,
    object_id,
    row_of,
    save,
)
from tests.jobs.google_shop import bakery, cleo, only_open, shown, stamp

__all__ = ["bakery", "cleo"]

pytestmark = pytest.mark.usefixtures("context")


def test_it_looks_once_a_day_who_has_a_card_saved(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    google.objects[object_id(cleo)]["hasUsers"] = False
    assert sweep.run(at=datetime.now(UTC)).looked_up == 0
    assert sweep.run(at=tomorrow).looked_up == 1
    assert row_of(cleo.card_id).google_saved_at is None
    assert sweep.run(at=tomorrow + timedelta(minutes=1)).looked_up == 0
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
    assert sweep.run(at=tomorrow + timedelta(minutes=1)).looked_up == 20
    assert sweep.run(at=tomorrow + timedelta(minutes=2)).looked_up == 5


def test_it_heals_what_was_given_up_on(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    google.trouble.append(Trouble(400))
    stamp(bakery, cleo)
    deliver_all()
    assert shown(google, cleo) == "0/50"
    google.objects[object_id(cleo)]["hasUsers"] = True
    sweep.run(at=datetime.now(UTC) + timedelta(hours=25))
    deliver_all()
    assert shown(google, cleo) == "1/50"
