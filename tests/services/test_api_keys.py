"""Keys: shown once, stored as hashes, ended at once, and only by owners."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.values import Actor, Admin, Role, Scope
from loyalty.errors import Forbidden, NotFound, StoreNotAllowed, ValidationError
from loyalty.models.api import ApiKey, ApiKeySecret, ApiKeyStore
from loyalty.models.audit import AuditEvent
from loyalty.services import api_keys, key_holders
from loyalty.services.key_holders import KeyFacts
from tests import factories
from tests.factories import Shop, make_key

pytestmark = pytest.mark.usefixtures("app", "context")


@pytest.fixture
def bakery(context: None) -> Shop:
    return factories.make_shop()


def make(shop: Shop, scope: Scope = Scope.TILL, **more: Any) -> tuple[api_keys.NewKey, str]:
    made = api_keys.create(actor=shop.ada, name="Register", scope=scope, key=make_key(shop.ada), **more)
    assert made.api_key is not None
    return made, made.api_key


def holder(text: str, at: datetime | None = None) -> KeyFacts | None:
    return key_holders.authenticate(api_key=text, at=at or datetime.now(UTC))


def test_it_knows_a_key_by_its_text(bakery: Shop) -> None:
    made, text = make(bakery, requests_per_minute=600)
    assert holder(text) == KeyFacts(made.api_key_id, Scope.TILL, bakery.vendor_id, "active", bakery.store_id, 600)


def test_it_stores_nothing_that_opens(bakery: Shop) -> None:
    _, text = make(bakery)
    stored = " ".join(str(tuple(row)) for row in db.session.execute(sa.text("SELECT * FROM api_key_secrets")))
    stored += " ".join(str(tuple(row)) for row in db.session.execute(sa.text("SELECT * FROM idempotency_keys")))
    stored += " ".join(str(tuple(row)) for row in db.session.execute(sa.text("SELECT * FROM audit_events")))
    assert text.split("_", 2)[2] not in stored
    assert text[12:] not in stored


def test_it_shows_a_key_once(bakery: Shop) -> None:
    key = make_key(bakery.ada)
    first = api_keys.create(actor=bakery.ada, name="Register", scope=Scope.TILL, key=key)
    again = api_keys.create(actor=bakery.ada, name="Register", scope=Scope.TILL, key=key)
    assert (again.api_key_id, again.api_key, again.replayed) == (first.api_key_id, None, True)
    assert len(api_keys.list_all(actor=bakery.ada)) == 1


@pytest.mark.parametrize("change", ["code", "secret", "shape", "empty", "long"])
def test_it_knows_no_key_that_it_did_not_make(bakery: Shop, change: str) -> None:
    _, text = make(bakery)
    last = "A" if text[-1] != "A" else "B"
    wrong = {
        "code": f"lp_zzzzzzzz{text[11:]}",
        "secret": text[:-1] + last,
        "shape": text.upper(),
        "empty": "",
        "long": text + "x",
    }[change]
    assert holder(wrong) is None


def test_it_knows_a_key_until_it_ends(bakery: Shop) -> None:
    now = datetime.now(UTC)
    _, text = make(bakery, expires_at=now + timedelta(days=30))
    assert holder(text, now + timedelta(days=30, seconds=-1)) is not None
    assert holder(text, now + timedelta(days=30)) is None


def test_it_revokes_a_key_with_all_its_texts(bakery: Shop) -> None:
    made, text = make(bakery)
    second = api_keys.rotate(actor=bakery.ada, api_key_id=made.api_key_id, key=make_key(bakery.ada)).api_key
    assert second
    api_keys.revoke(actor=bakery.ada, api_key_id=made.api_key_id, key=make_key(bakery.ada))
    assert (holder(text), holder(second)) == (None, None)
    with pytest.raises(NotFound):
        api_keys.rotate(actor=bakery.ada, api_key_id=made.api_key_id, key=make_key(bakery.ada))


@pytest.mark.parametrize("overlap", api_keys.OVERLAPS)
def test_it_lets_the_old_text_work_for_a_while(bakery: Shop, overlap: str) -> None:
    made, old = make(bakery)
    rotated = api_keys.rotate(actor=bakery.ada, api_key_id=made.api_key_id, overlap=overlap, key=make_key(bakery.ada))
    assert rotated.api_key
    assert rotated.old_ends_at
    assert (holder(old, rotated.old_ends_at), holder(rotated.api_key)) == (None, holder(rotated.api_key))
    before = holder(old, rotated.old_ends_at - timedelta(seconds=1))
    assert before is not None
    assert before.api_key_id == made.api_key_id


def test_it_keeps_two_texts_alive_at_most(bakery: Shop) -> None:
    made, first = make(bakery)
    texts = [first]
    for _ in range(2):
        rotated = api_keys.rotate(actor=bakery.ada, api_key_id=made.api_key_id, key=make_key(bakery.ada))
        texts.append(str(rotated.api_key))
    assert [holder(text) is not None for text in texts] == [False, True, True]
    (row,) = api_keys.list_all(actor=bakery.ada)
    assert [secret.code for secret in row.secrets] == [text[3:11] for text in reversed(texts[1:])]


def test_it_notes_the_last_use_once_a_minute(bakery: Shop) -> None:
    _, text = make(bakery)
    begin = datetime.now(UTC)
    for seconds, expected in ((0, 0), (59, 0), (60, 60), (61, 60), (3600, 3600)):
        holder(text, begin + timedelta(seconds=seconds))
        stored = db.session.execute(sa.select(ApiKeySecret.last_used_at)).scalar_one()
        assert stored == begin + timedelta(seconds=expected)


def test_it_knows_at_which_stores_a_key_may_be_used(bakery: Shop) -> None:
    station = factories.make_store(bakery, "station")
    _, everywhere = make(bakery)
    made, limited = make(bakery, store_ids=[station])
    assert (found := holder(everywhere)) is not None
    assert found.only_store_id is None
    assert (found := holder(limited)) is not None
    assert found.only_store_id == station
    actor = Actor(bakery.vendor_id, Role.STAFF, api_key_id=made.api_key_id)
    assert key_holders.get_store_id(actor=actor, code="station") == station
    with pytest.raises(StoreNotAllowed):
        key_holders.get_store_id(actor=actor, code="main")
    with pytest.raises(ValidationError):
        key_holders.get_store_id(actor=actor, code="moon")


def test_it_limits_no_key_to_a_store_next_door(bakery: Shop) -> None:
    meat = factories.make_shop("meat")
    with pytest.raises(ValidationError):
        make(bakery, store_ids=[meat.store_id])
    assert api_keys.list_all(actor=bakery.ada) == []


def test_it_keeps_keys_of_some_stores_from_managing(bakery: Shop) -> None:
    with pytest.raises(ValidationError) as refusal:
        make(bakery, Scope.MANAGE, store_ids=[bakery.store_id])
    assert list(refusal.value.errors) == ["scope"]
    made, text = make(bakery, Scope.MANAGE)
    assert (found := holder(text)) is not None
    assert found.scope is Scope.MANAGE
    # As keys were made before this was refused.
    with transaction():
        limit = ApiKeyStore(api_key_id=made.api_key_id, store_id=bakery.store_id, vendor_id=bakery.vendor_id)
        db.session.add(limit)
    assert (found := holder(text)) is not None
    assert found.scope is Scope.TILL
    assert [row.scope for row in api_keys.list_all(actor=bakery.ada)] == [Scope.TILL]


@pytest.mark.parametrize(
    ("name", "scope", "often"),
    [
        (" ", Scope.TILL, None),
        ("x" * 121, Scope.TILL, None),
        ("x", Scope.PLATFORM, None),
        ("x", Scope.TILL, 0),
        ("x", Scope.TILL, 100_001),
    ],
)
def test_it_makes_no_key_of_what_is_wrong(bakery: Shop, name: str, scope: Scope, often: int | None) -> None:
    with pytest.raises(ValidationError):
        api_keys.create(actor=bakery.ada, name=name, scope=scope, requests_per_minute=often, key=make_key(bakery.ada))


def test_it_is_for_owners(bakery: Shop) -> None:
    made, _ = make(bakery)
    for who in (bakery.ben, bakery.mia, Actor(bakery.vendor_id, Role.MANAGER, api_key_id=made.api_key_id)):
        with pytest.raises(Forbidden):
            api_keys.list_all(actor=who)
        with pytest.raises(Forbidden):
            api_keys.create(actor=who, name="x", scope=Scope.READ, key=make_key(who))
        with pytest.raises(Forbidden):
            api_keys.revoke(actor=who, api_key_id=made.api_key_id, key=make_key(who))


def test_it_finds_no_key_next_door(bakery: Shop) -> None:
    made, text = make(bakery)
    meat = factories.make_shop("meat")
    for who in (meat.ada, Admin()):
        with pytest.raises(NotFound):
            api_keys.revoke(actor=who, api_key_id=made.api_key_id, key=make_key(meat.ada))
        assert api_keys.list_all(actor=who) == []
    assert holder(text) is not None


def test_it_makes_keys_of_the_platform(bakery: Shop) -> None:
    made = api_keys.create(actor=Admin(), name="Operations", scope=Scope.PLATFORM, key=make_key())
    assert (found := holder(str(made.api_key))) is not None
    assert (found.scope, found.vendor_id) == (Scope.PLATFORM, None)
    assert [row.name for row in api_keys.list_all(actor=Admin())] == ["Operations"]
    with pytest.raises(ValidationError):
        api_keys.create(actor=Admin(), name="x", scope=Scope.MANAGE, key=make_key())


def test_it_writes_down_who_made_and_ended_a_key(bakery: Shop) -> None:
    made, _ = make(bakery)
    api_keys.rotate(actor=bakery.ada, api_key_id=made.api_key_id, key=make_key(bakery.ada))
    api_keys.revoke(actor=bakery.ada, api_key_id=made.api_key_id, key=make_key(bakery.ada))
    mine = sa.select(AuditEvent.action, AuditEvent.user_id).where(AuditEvent.subject_id == str(made.api_key_id))
    rows = db.session.execute(mine.order_by(AuditEvent.created_at)).all()
    assert [tuple(row) for row in rows] == [
        (f"api_key.{verb}", bakery.ada.user_id) for verb in ("created", "rotated", "revoked")
    ]


def test_it_keeps_platform_keys_out_of_shops_in_the_database_too(bakery: Shop) -> None:
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.add(ApiKey(vendor_id=bakery.vendor_id, name="x", scope="platform"))
