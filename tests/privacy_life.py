"""A customer's life, with a word of its own in every place that can hold something personal, and where to look."""

import io
import json
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.joining import JoinForm
from loyalty.domain.values import CardRef
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.services import adjustments, audit, card_links, cards, enrolment, messages, outbox, points, stamps, voids
from loyalty.services.privacy_export import Export
from tests.factories import Shop, make_key


@dataclass
class Life:
    """A customer of a shop; `words` stand nowhere but in what is known about them."""

    shop: Shop
    customer_id: UUID
    card_id: UUID
    public_token: str
    words: dict[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> CardRef:
        """The card as a request names it."""
        return CardRef(card_id=self.card_id)


def live(shop: Shop, word: str, phone: str, *, at: datetime | None = None) -> Life:
    """Join by a confirmed address, collect, be corrected, be mailed: all of it leaves traces."""
    at = at or datetime.now(UTC)
    email = f"{word.lower()}.address@example.org"
    birthday = date(1987, 3, len(word))
    form = JoinForm(email=email, phone=phone, name=f"{word} Name", birth_date=birthday, marketing_consent=True)
    joined = enrolment.join(
        vendor_code=shop.code, store_code="main", form=form, locale="fr", key=make_key(asked=form), at=at
    )
    assert joined.state == "created"
    assert joined.card_id
    with transaction():
        card = db.session.get_one(LoyaltyCard, joined.card_id)
        life = Life(shop, card.customer_id, card.id, card.public_token)
        life.words |= {"scan code": card.scan_code, "public token": card.public_token}
    life.words |= {"email": email, "phone": phone, "name": f"{word} Name", "birthday": birthday.isoformat()}
    collect(life, word)
    be_mailed(life, word, at)
    return life


def collect(life: Life, word: str) -> None:
    """Collect at the till, be corrected, closed and opened again, each with a reason and from a device."""
    shop = life.shop
    address, agent = f"203.0.113.{len(word) + 40}", f"{word}Agent/1.0"
    life.words |= {"user agent": agent, "address of the tablet": address}
    ben, ada = (replace(actor, ip_address=address, user_agent=agent) for actor in (shop.ben, shop.ada))
    stamped = stamps.add(actor=ben, card=life.ref, quantity=2, key=make_key(ben))
    points.earn(actor=ben, card=life.ref, purchase_amount_cents=1250, order_reference=None, key=make_key(ben))
    for number, correct in enumerate((adjustments.adjust_stamps, adjustments.adjust_points)):
        life.words[f"note {number}"] = f"{word} came back {number}"
        correct(actor=ada, card=life.ref, delta=3, reason=f"{word} came back {number}", key=make_key(ada))
    life.words["reason of a void"] = f"{word} did not pay"
    voids.void(
        actor=ada, transaction_id=stamped.transaction_id, reason=life.words["reason of a void"], key=make_key(ada)
    )
    for change in (cards.deactivate, cards.reactivate):
        life.words[change.__name__] = f"{word} asked to {change.__name__}"
        change(actor=ada, card=life.ref, reason=life.words[change.__name__], key=make_key(ada))
    with transaction():
        # None of ours says anything personal; those of a release before may have.
        life.words["audit"] = f"{word} in the audit log"
        details = {"who": life.words["audit"]}
        audit.record(actor=ada, action="card.noted", subject_type="card", subject_id=life.card_id, details=details)


def be_mailed(life: Life, word: str, at: datetime) -> None:
    """Have one mail fail with the address in the server's words, and one wait."""
    card_links.mail_link(actor=life.shop.ada, card_id=life.card_id, key=make_key(life.shop.ada), at=at)
    with transaction():
        newest = sa.select(EmailLog.id).where(EmailLog.card_id == life.card_id, EmailLog.kind == "card_link")
        mail_id = db.session.execute(newest).scalar_one()
        message = sa.select(OutboxMessage.id).where(OutboxMessage.subject_id == mail_id)
        message_id = db.session.execute(message).scalar_one()
    life.words["server's words"] = f"550 {word}-mailbox is unknown"
    claim = outbox.claim(message_id=message_id)
    assert claim
    messages.record_failed(email_log_id=mail_id, error=life.words["server's words"])
    outbox.record_gave_up(claim=claim, error=life.words["server's words"])
    card_links.mail_link(actor=life.shop.ada, card_id=life.card_id, key=make_key(life.shop.ada), at=at)


def dump(engine: sa.Engine) -> str:
    """Every row of every table, as text."""
    with engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        tables = {name: connection.execute(sa.text(f'SELECT t::text FROM "{name}" t')).scalars() for name in names}
        return "\n".join(f"{name}: {row}" for name, rows in tables.items() for row in rows)


def dump_redis(connection: "redis.Redis") -> str:
    """Every key and what it holds, unpacked: the server packs what it stores, and the queue packs its jobs."""
    return "\n".join(f"{key!r} {_held(connection, key)!r}" for key in connection.scan_iter("*"))


def _held(connection: Any, key: bytes) -> object:  # its answers are typed as text or bytes, which its settings decide
    readers: dict[bytes, Callable[[], Any]] = {
        b"string": lambda: connection.get(key),
        b"hash": lambda: {name: _unpacked(value) for name, value in connection.hgetall(key).items()},
        b"list": lambda: connection.lrange(key, 0, -1),
        b"set": lambda: connection.smembers(key),
        b"zset": lambda: connection.zrange(key, 0, -1),
        b"stream": lambda: connection.xrange(key),
    }
    return readers[connection.type(key)]()


def _unpacked(value: bytes) -> bytes:
    with suppress(zlib.error):
        return zlib.decompress(value)
    return value


def dump_files(folder: Path) -> str:
    """Every file below a folder."""
    return "\n".join(path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file())


def found(words: dict[str, str], text: str) -> list[str]:
    """Return what of these words stands in a text."""
    return sorted(name for name, word in words.items() if word in text)


def open_export(export: Export) -> tuple[Any, dict[str, str]]:  # JSON
    """Take an export apart: its JSON, and all of its files as text."""
    with zipfile.ZipFile(io.BytesIO(export.content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    return json.loads(files["data.json"]), files


def audited(action: str) -> list[AuditEvent]:
    """The events of one kind."""
    with transaction():
        db.session.expire_all()
        events = sa.select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.created_at)
        return list(db.session.scalars(events))
