"""What customers do about their own data leaves no trace once they are forgotten, a week after they asked for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from config import Config
from loyalty.database import db, transaction
from loyalty.models.consents import Consent
from loyalty.models.mail import Confirmation, EmailLog
from loyalty.services import links, my_data, my_data_proofs, retention, verification
from loyalty.services.retention import Retained
from tests.factories import make_key
from tests.privacy_life import Life, dump, dump_files, dump_redis, found, live, open_export
from tests.services.test_privacy import CLEO, DORA, deliver, make_bakery

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def prove(life: Life) -> None:
    """Prove the address by the mailed link."""
    my_data_proofs.ask(token=life.public_token, key=make_key(), at=NOW)
    with transaction():
        theirs = sa.select(EmailLog.confirmation_id).where(EmailLog.card_id == life.card_id)
        asked = db.session.scalars(theirs.where(EmailLog.kind == "confirm_my_data")).one()
    proof = links.my_data(life.public_token, asked).rpartition("/")[2]
    my_data_proofs.prove(token=life.public_token, proof=proof, key=make_key(), at=NOW)


def correct(life: Life, word: str) -> None:
    """Correct the name, agree to news and the terms, take a copy along, and ask to be forgotten."""
    prove(life)
    with transaction():
        used = sa.select(Confirmation.id).where(Confirmation.address == life.words["email"])
        own: dict[str, Any] = {"token": life.public_token, "confirmation_id": db.session.scalars(used).one(), "at": NOW}
    life.words["name"] = f"{word} Corrected"
    details = my_data.Corrections(
        name=life.words["name"], birth_date=None, locale="de", marketing_consent=False, accept_terms=True
    )
    my_data.correct(details=details, key=make_key(), **own)
    known = open_export(my_data.export(key=make_key(), say=str, **own))[0]["data"]
    assert [said["kind"] for said in known["consents"]].count("marketing") == 2
    my_data.erase_later(key=make_key(), **own)


def test_it_leaves_no_word_of_whoever_asked_to_be_forgotten(
    config: Config, owner_engine: sa.Engine, valkey: "redis.Redis", capsys: pytest.CaptureFixture[str]
) -> None:
    shop = make_bakery()
    cleo, dora = live(shop, "Cleozzz", CLEO), live(shop, "Dorayyyy", DORA)
    del cleo.words["birthday"]
    correct(cleo, "Cleozzz")
    deliver()
    assert found(cleo.words, dump(owner_engine)) == sorted(cleo.words)

    assert retention.run(at=NOW + WEEK) == Retained(0, 0, 1)
    deliver()

    for place in (dump(owner_engine), dump_redis(valkey), dump_files(config.data_dir), capsys.readouterr().err):
        assert found(cleo.words, place) == []
    assert found(dora.words, dump(owner_engine)) == sorted(dora.words)
    with transaction():
        assert set(db.session.scalars(sa.select(Consent.customer_id))) == {dora.customer_id}
    assert verification.verify().findings == []
