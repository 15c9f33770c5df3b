"""Thirty marks in everything that a customer can leave behind: after erasing, none is found anywhere."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from config import Config
from loyalty.database import Base, db, transaction
from loyalty.domain.joining import JoinForm
from loyalty.domain.privacy import REGISTRY, Erasing
from loyalty.models.mail import Confirmation, EmailLog
from loyalty.services import (
    archives,
    corrections,
    enrolment,
    invitations,
    links,
    privacy,
    privacy_phones,
    verification,
)
from tests.factories import Shop, make_key, make_shop
from tests.google_fake import GoogleFake
from tests.jobs.apple_world import World, world
from tests.jobs.webhook_world import allow, listen
from tests.privacy_life import Life, dump, dump_files, dump_redis, found, live
from tests.privacy_traces import Phones, deliver, live_long
from tests.services.test_privacy import CLEO, DORA, make_bakery
from tests.webhook_receiver import listening

__all__ = ["world"]

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVENTS = ("card.created", "transaction.created", "reward.ready", "customer.erased")
ASKS = {"ask_name": True, "ask_birthday": True, "ask_marketing": True, "confirm_address": True}

# Words of ours and digests, which no mark can stand in.
OURS = {
    "customers.terms_version",
    "customers.erase_reason",
    "consents.kind",
    "consents.version",
    "consents.source",
    "idempotency_keys.request_hash",
    "idempotency_keys.receipt",
    "apple_device_registrations.pass_type",
}


def open_cafe() -> Shop:
    """A shop that asks for everything, and whose own software needs no PIN."""
    return make_shop(
        "cafe",
        vendor=ASKS,
        policy={"staff_pin_policy": "disabled"},
        loyalty_type="hybrid",
        cooldown_minutes=0,
        max_stamps_per_action=5,
    )


def marked(engine: sa.Engine, life: Life) -> set[str]:
    """The columns of the whole schema in which one of the marks stands."""
    names = set()
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)).mappings():
                names |= {f"{table.name}.{column}" for column, value in row.items() if found(life.words, str(value))}
    return names


def erased(*kinds: type[sa.types.TypeEngine[Any]]) -> set[str]:
    """The columns that erasing empties, draws anew or deletes; of some types where they are named."""
    return {
        f"{name}.{column}"
        for name, described in REGISTRY.items()
        for column, personal in described.of_customers.items()
        if personal.erasing is not Erasing.KEEP
        and (not kinds or isinstance(Base.metadata.tables[name].c[column].type, kinds))
    }


def erase(life: Life) -> None:
    privacy.erase(actor=life.shop.ada, customer_id=life.customer_id, key=make_key(life.shop.ada))


def archive(shop: Shop) -> str:
    """All that is in the shop's archive, as text."""
    with archives.make(actor=shop.ada, say=str, at=NOON) as file, zipfile.ZipFile(io.BytesIO(file.read())) as packed:
        return "\n".join(packed.read(name).decode() for name in packed.namelist())


def passes_in(phones: Phones) -> str:
    """What phones hold once they have fetched what changed."""
    for phone, _ in phones:
        phone.wake()
    files = [data for _, held in phones for data in held.opened.files.values()]
    return b"".join(files).decode(errors="replace")


def test_it_leaves_no_word_of_a_long_life_anywhere(
    world: World,
    google: GoogleFake,
    config: Config,
    owner_engine: sa.Engine,
    valkey: "redis.Redis",
    capsys: pytest.CaptureFixture[str],
) -> None:
    with listening() as receiver:
        with world.app.app_context():
            shop = open_cafe()
            allow(receiver.place)
            listen(shop, receiver, EVENTS)
            dora = live(make_bakery("meat"), "Dorayyyy", DORA)
        cleo, phones = live_long(world, shop, "Cleozzz", CLEO, at=NOON)
        assert len(cleo.words) >= 30
        before = dump(owner_engine)
        assert found(cleo.words, before) == sorted(cleo.words)
        assert cleo.words["email"] in dump_files(config.data_dir / "mail")
        # Every text that is erased has its mark, and what is nobody's or kept has none.
        assert marked(owner_engine, cleo) - erased() == set()
        assert erased(sa.Text, sa.JSON) - marked(owner_engine, cleo) == OURS
        with world.app.app_context():
            assert cleo.words["email"] in archive(shop)
            erase(cleo)
            deliver()
        ended = passes_in(phones)
        with world.app.app_context():
            assert privacy_phones.forget_phones(at=datetime.now(UTC) + timedelta(hours=25)) == 2
            deliver()
            kept = archive(shop)
            assert verification.verify().findings == []
    told = "\n".join(request.body.decode() for request in receiver.received)
    assert receiver.received
    places = {
        "database": dump(owner_engine),
        "Redis": dump_redis(valkey),
        "files": dump_files(config.data_dir),
        "log": capsys.readouterr().err,
        "archive": kept,
        "webhooks": told,
        "Google": json.dumps(google.objects, ensure_ascii=False),
    }
    assert [(place, found(cleo.words, text)) for place, text in places.items() if found(cleo.words, text)] == []
    # Serial and secret are what the wallet itself keeps a pass by.
    assert [name for name in found(cleo.words, ended) if not name.endswith(" pass")] == []
    assert '"voided": true' in ended or '"voided":true' in ended
    assert found(dora.words, places["database"]) == sorted(dora.words)


@pytest.mark.usefixtures("context")
def test_it_leaves_an_invitation_into_the_office_to_the_same_address(owner_engine: sa.Engine) -> None:
    """Whoever works here and is a customer, too, is two people to us: erasing the one leaves the other's way in."""
    shop = make_bakery()
    cleo = live(shop, "Cleozzz", CLEO)
    email, key = cleo.words["email"], make_key(shop.ada)
    invited = invitations.create(actor=shop.ada, email=email, role="manager", locale="en", at=NOON, key=key)
    erase(cleo)
    assert found(cleo.words, dump(owner_engine)) == ["email"]
    token = links.invitation(invited.invitation_id).rpartition("/")[2]
    assert invitations.get(token=token, at=NOON).email == email


@pytest.mark.usefixtures("context")
def test_it_leaves_a_stranger_alone_who_has_the_mistyped_address() -> None:
    shop = make_bakery()
    cleo = live(shop, "Cleozzz", CLEO)
    mistyped, key = cleo.words["email"], make_key(shop.ada)
    email = "cleo@moved.example.org"
    corrections.correct(actor=shop.ada, card_id=cleo.card_id, email=email, phone=CLEO, key=key, at=datetime.now(UTC))
    with transaction():
        db.session.execute(sa.text("UPDATE vendors SET confirm_address = true"))
    form, later = JoinForm(email=mistyped, name="A Stranger"), datetime.now(UTC) + timedelta(days=2)
    ask = make_key(asked=form)
    enrolment.join(vendor_code=shop.code, store_code=None, form=form, locale="en", key=ask, at=later)
    erase(cleo)
    with transaction():
        asked = db.session.execute(sa.select(Confirmation).where(Confirmation.kind == "join")).scalar_one()
        mail = db.session.execute(sa.select(EmailLog).where(EmailLog.confirmation_id == asked.id)).scalar_one()
    assert (asked.address, asked.form["name"], asked.used_at) == (mistyped, "A Stranger", None)
    assert (mail.recipient, mail.state) == (mistyped, "waiting")
