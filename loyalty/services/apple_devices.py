"""Phones with Apple passes: they register each pass, ask what has changed, and one day throw a pass away."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import clock, db, new_id, run_alone, transaction, unflushed
from loyalty.models.cards import LoyaltyCard
from loyalty.models.passes import AppleDevice, AppleDeviceRegistration, WalletClock
from loyalty.services import passes, webhook_events

Registration = AppleDeviceRegistration
_PLAINLY = {"synchronize_session": False}
# The number of the newest thing that a phone should know about a pass of its own.
_NEWEST: ColumnElement[int] = func.greatest(func.coalesce(LoyaltyCard.apple_change_seq, 0), Registration.reg_seq)

# Put together once: they are asked for every push.
_HOLDERS: Final = (
    select(
        AppleDevice.push_token,
        Registration.reg_seq,
        Registration.pushed_seq,
        func.statement_timestamp().label("now"),
    )
    .join(Registration, Registration.device_id == AppleDevice.id)
    .where(Registration.card_id == bindparam("held_card"), Registration.pass_type == bindparam("held_type"))
)
_TOLD_DEVICES: Final = select(AppleDevice.id).where(
    AppleDevice.push_token == func.any(bindparam("told", type_=ARRAY(Text)))
)
_PUSHED: Final = (
    update(Registration)
    .where(Registration.card_id == bindparam("told_card"), Registration.pass_type == bindparam("told_type"))
    .where(Registration.device_id.in_(_TOLD_DEVICES), Registration.pushed_seq < bindparam("told_seq"))
    .values(pushed_seq=bindparam("told_seq"))
    .returning(unflushed())
)


@dataclass(frozen=True, slots=True)
class Updates:
    """What changed since a phone asked last, and the tag that it says next time."""

    serial_numbers: list[str]
    tag: str


@dataclass(frozen=True, slots=True)
class Push:
    """A change of a pass that phones have to be told: the tokens of the phones that were not told yet."""

    card_id: UUID
    pass_type: str
    seq: int
    tokens: list[str]
    asked_at: datetime


def register(*, pass_type: str, serial: str, token: bytes, device: str, push_token: str) -> bool:
    """Note that a phone holds a pass and where it is pushed to; True when it is new there."""
    card_id = passes.authenticate(pass_type=pass_type, serial=serial, token=token)
    with transaction():
        # The till holds the card while it looks for phones: a stamp is either seen below, or pushed to this phone.
        vendor_id: UUID = db.session.execute(
            select(LoyaltyCard.vendor_id).where(LoyaltyCard.id == card_id).with_for_update()
        ).scalar_one()
        device_id, moved = _put_device(device, push_token)
        row = insert(Registration).values(
            device_id=device_id, card_id=card_id, vendor_id=vendor_id, pass_type=pass_type
        )
        new = db.session.execute(row.on_conflict_do_nothing().returning(Registration.card_id)).one_or_none() is not None
        if new:
            webhook_events.card_installed(card_id=card_id, vendor_id=vendor_id, wallet="apple", at=clock())
            _catch_up(device_id, card_id, vendor_id, pass_type)
        elif moved:
            # What was pushed to the old address may be lost.
            _owe(device_id, card_id, vendor_id, pass_type)
        return new


def unregister(*, pass_type: str, serial: str, token: bytes, device: str) -> None:
    """Note that a phone holds a pass no longer; a phone without passes is forgotten."""
    card_id = passes.authenticate(pass_type=pass_type, serial=serial, token=token)
    with transaction():
        ids = _lock_devices(AppleDevice.device_library_identifier == device)
        _drop(ids, Registration.card_id == card_id, Registration.pass_type == pass_type)


def list_updates(*, pass_type: str, device: str, tag: int | None) -> Updates | None:
    """List a phone's passes that changed after its tag, all of them without one; None where nothing changed.

    A tag above the counter comes from before a restore: then all of them, or that phone would be deaf for ever.
    """
    if pass_type != passes.find_pass_type():
        return None
    query = (
        select(LoyaltyCard.apple_serial_number, _NEWEST.label("seq"))
        .join(Registration, Registration.card_id == LoyaltyCard.id)
        .join(AppleDevice, AppleDevice.id == Registration.device_id)
        .where(AppleDevice.device_library_identifier == device, Registration.pass_type == pass_type)
        .order_by(_NEWEST, LoyaltyCard.apple_serial_number)
    )
    if tag is not None and tag <= _counter(pass_type):
        query = query.where(tag < _NEWEST)
    rows = db.session.execute(query).all()
    return Updates([row.apple_serial_number for row in rows], str(rows[-1].seq)) if rows else None


def prepare_push(*, card_id: UUID) -> Push | None:
    """Number what has changed about a card's pass, and say which phones do not know; None where all of them do."""
    pass_type = passes.find_pass_type()
    if pass_type is None:
        return None
    with transaction():
        # Under the lock no phone registers, so what is read before the number is drawn still holds after it.
        passes.lock_card(card_id=card_id)
        rows = db.session.connection().execute(_HOLDERS, {"held_card": card_id, "held_type": pass_type}).all()
        change_seq = passes.note_change(card_id=card_id).change_seq
    owed = [row for row in rows if row.pushed_seq < max(change_seq, row.reg_seq)]
    if not owed:
        return None
    # One phone may have called itself by several names.
    tokens = sorted({row.push_token for row in owed})
    seq = max(change_seq, *[row.reg_seq for row in owed])
    return Push(card_id, pass_type, seq, tokens, owed[0].now)


def record_pushed(*, push: Push, tokens: list[str]) -> None:
    """Remember which phones were told of a change."""
    # Where this is lost a phone is told once more than needed.
    values = {"told_card": push.card_id, "told_type": push.pass_type, "told_seq": push.seq, "told": tokens}
    run_alone(_PUSHED, values)


def forget(*, pass_type: str, push_token: str, gone_at: datetime) -> bool:
    """Forget a phone that takes no pushes any more, unless it has registered again since it went."""
    with transaction():
        ids = _lock_devices(AppleDevice.push_token == push_token, AppleDevice.token_seen_at <= gone_at)
        _drop(ids, Registration.pass_type == pass_type)
    return bool(ids)


def forget_card(*, card_id: UUID) -> None:
    """In the caller's transaction, forget which phones hold a card, and the phones that hold nothing more."""
    db.session.execute(select(LoyaltyCard.id).where(LoyaltyCard.id == card_id).with_for_update())
    ids = _lock_devices(AppleDevice.id.in_(select(Registration.device_id).where(Registration.card_id == card_id)))
    db.session.execute(delete(Registration).where(Registration.card_id == card_id), execution_options=_PLAINLY)
    _forget_empty(ids)


def _put_device(device: str, push_token: str) -> tuple[UUID, bool]:
    """Write down a phone and its token; True when it was known under another token."""
    before = select(AppleDevice.push_token).where(AppleDevice.device_library_identifier == device).with_for_update()
    known = db.session.scalar(before)
    now = func.clock_timestamp()
    row = insert(AppleDevice).values(
        id=new_id(), device_library_identifier=device, push_token=push_token, token_seen_at=now
    )
    new = {"push_token": push_token, "token_seen_at": now, "updated_at": now}
    row = row.on_conflict_do_update(index_elements=[AppleDevice.device_library_identifier], set_=new)
    device_id: UUID = db.session.execute(row.returning(AppleDevice.id)).scalar_one()
    return device_id, known is not None and known != push_token


def _catch_up(device_id: UUID, card_id: UUID, vendor_id: UUID, pass_type: str) -> None:
    """Tell a new phone of what changed since it fetched the pass, if anything ever did: nobody knows when it was."""
    before = db.session.scalar(select(LoyaltyCard.apple_change_seq).where(LoyaltyCard.id == card_id)) or 0
    shown = passes.note_change(card_id=card_id)
    if shown.change_seq == 0:
        return
    if shown.change_seq == before:
        reg_seq = passes.draw_number()
        _set(device_id, card_id, pass_type, reg_seq=reg_seq)
    passes.changed(card_id=card_id, vendor_id=vendor_id)


def _owe(device_id: UUID, card_id: UUID, vendor_id: UUID, pass_type: str) -> None:
    _set(device_id, card_id, pass_type, pushed_seq=0)
    passes.changed(card_id=card_id, vendor_id=vendor_id)


def _set(device_id: UUID, card_id: UUID, pass_type: str, **values: int) -> None:
    own = (Registration.device_id == device_id, Registration.card_id == card_id, Registration.pass_type == pass_type)
    db.session.execute(update(Registration).where(*own).values(**values))


def _lock_devices(*conditions: ColumnElement[bool]) -> list[UUID]:
    """Lock phones, each before its registrations: a phone that is just registering another pass is not forgotten."""
    query = select(AppleDevice.id).where(*conditions).order_by(AppleDevice.id).with_for_update()
    return list(db.session.execute(query).scalars())


def _drop(ids: list[UUID], *conditions: Any) -> None:  # conditions on registrations
    """Delete registrations of locked phones, tell of each, and delete the phones that hold nothing more."""
    dropped = delete(Registration).where(Registration.device_id.in_(ids), *conditions)
    gone = dropped.returning(Registration.card_id, Registration.vendor_id)
    for row in db.session.execute(gone, execution_options=_PLAINLY).all():
        webhook_events.card_removed(card_id=row.card_id, vendor_id=row.vendor_id, wallet="apple", at=clock())
    _forget_empty(ids)


def _forget_empty(ids: list[UUID]) -> None:
    holding = exists().where(Registration.device_id == AppleDevice.id)
    db.session.execute(delete(AppleDevice).where(AppleDevice.id.in_(ids), ~holding), execution_options=_PLAINLY)


def _counter(pass_type: str) -> int:
    return db.session.scalar(select(WalletClock.seq).where(WalletClock.pass_type == pass_type)) or 0
