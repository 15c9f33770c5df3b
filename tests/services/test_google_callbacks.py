"""Callbacks of Google: what was saved and removed, counted once and believed to nobody else."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.models.google import GoogleNonce
from loyalty.services import google_callbacks, google_passes
from tests.factories import Shop, make_card, make_shop
from tests.google_fake import GoogleFake
from tests.google_platform import (
    class_id,
    deliver_all,
    open_rows,
    row_of,
    save,
    told,
)
from tests.google_signer import ISSUER

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def bakery(google: GoogleFake) -> Shop:
    return make_shop(vendor={"name": "Ada's Bakery", "locale": "fr"}, cooldown_minutes=0, max_daily_stamps=50)


def test_it_notes_saving_and_removing(bakery: Shop) -> None:
    card = make_card(bakery)
    google_passes.offer_link(token=card.public_token, at=NOW)
    deliver_all()
    at = datetime.now(UTC)
    assert google_callbacks.receive(body=told(bakery, card), at=at)
    assert row_of(card.card_id).google_saved_at == at
    assert len(open_rows()) == 1
    assert google_callbacks.receive(body=told(bakery, card, event="del"), at=at)
    assert row_of(card.card_id).google_saved_at is None


def test_it_counts_a_callback_once_however_often_it_comes(bakery: Shop, app: Flask) -> None:
    card = make_card(bakery)
    google_passes.offer_link(token=card.public_token, at=NOW)
    deliver_all()
    body, effects = told(bakery, card, nonce="the same"), []
    begin = threading.Barrier(10)

    def receive() -> None:
        with app.app_context():
            begin.wait()
            for _ in range(10):
                effects.append(google_callbacks.receive(body=body, at=datetime.now(UTC)))

    threads = [threading.Thread(target=receive) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(effects) == 100
    assert effects.count(True) == 1
    assert [row.version for row in open_rows()] == [1]


def test_it_takes_back_the_nonce_with_an_effect_that_failed(bakery: Shop) -> None:
    card = make_card(bakery)
    save(card)
    body = told(bakery, card, event="del")

    def receive_and_fail() -> None:
        with transaction():
            assert google_callbacks.receive(body=body, at=datetime.now(UTC))
            raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        receive_and_fail()
    assert row_of(card.card_id).google_saved_at is not None
    assert google_callbacks.receive(body=body, at=datetime.now(UTC))


def test_it_believes_no_ids_that_do_not_belong_together(bakery: Shop) -> None:
    card, meat = make_card(bakery), make_shop("meat")
    save(card)
    save(make_card(meat))
    at = datetime.now(UTC)
    for ids in ({"class_id": class_id(meat)}, {"object_id": f"{ISSUER}.card-unknown"}):
        assert not google_callbacks.receive(body=told(bakery, card, event="del", **ids), at=at)
    assert row_of(card.card_id).google_saved_at is not None


def test_it_forgets_nonces_a_day_after_they_expired(bakery: Shop) -> None:
    card = make_card(bakery)
    google_callbacks.receive(body=told(bakery, card), at=datetime.now(UTC))
    assert google_callbacks.delete_expired(before=datetime.now(UTC) + timedelta(hours=24)) == 0
    assert google_callbacks.delete_expired(before=datetime.now(UTC) + timedelta(hours=26)) == 1
    with transaction():
        assert db.session.execute(sa.select(GoogleNonce)).all() == []
