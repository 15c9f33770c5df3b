"""Telling Google Wallet while Google or the network are in trouble: nothing is lost, nobody else waits."""

from datetime import timedelta

import pytest

from loyalty.adapters.token_bucket import LocalBucket
from loyalty.database import db, transaction
from loyalty.jobs import google as google_jobs
from loyalty.models.outbox import OutboxMessage
from loyalty.services import google_passes, outbox
from tests.factories import Card, Shop, make_card
from tests.google_cards import make_api
from tests.google_fake import GoogleFake, Trouble
from tests.google_platform import (
    class_id,
    deliver_all,
    open_rows,
    save,
)
from tests.jobs.google_shop import bakery, cleo, only_open, shown, stamp, wait_seconds
from tests.mails import let_time_pass, make_mail

__all__ = ["bakery", "cleo"]

pytestmark = pytest.mark.usefixtures("context")


def test_it_makes_class_and_object_again_where_google_lost_them(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    google.classes.clear()
    google.objects.clear()
    stamp(bakery, cleo)
    deliver_all()
    assert shown(google, cleo) == "1/50"
    assert class_id(bakery) in google.classes
    assert not open_rows()


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
    # After three failures in a row it is left alone, and who waits for it loses no attempt.
    assert len(google.calls) == 3
    assert sorted(row.attempts for row in open_rows()) == [0] * 6 + [1] * 2
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
