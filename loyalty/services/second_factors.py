"""The second factor of people in the office: a phone that shows codes, and codes on paper for when it is lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import delete, func, insert, select, update

from loyalty.database import db, transaction
from loyalty.domain import totp
from loyalty.domain.values import Admin, RequestKey
from loyalty.errors import N_, NotFound, RateLimited, ValidationError
from loyalty.models.users import RecoveryCode, User
from loyalty.services import audit, idempotency, sealing, throttles
from loyalty.services.sign_in_limits import WAITS
from loyalty.wallets.qr import address_svg

MEMORY: Final = timedelta(hours=24)
WRONG_CODE: Final = N_("This code does not fit. Wait for the next one, and look whether the phone's clock is right.")


@dataclass(frozen=True, slots=True)
class State:
    """Whether a person has a second factor, and how many recovery codes are left."""

    is_on: bool
    codes_left: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a phone is given before the factor is on; `sealed` is the secret again, for the form that turns it on."""

    secret: str
    sealed: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Codes to be shown once; an answer that is given again comes without them."""

    codes: tuple[str, ...] | None = field(default=None, metadata={"secret": True})
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class TurnedOff:
    """The second factor is off."""

    replayed: bool = False


def get_state(*, user_id: UUID) -> State:
    """Get whether a person has a second factor."""
    unused = (
        select(func.count())
        .where(RecoveryCode.user_id == User.id, RecoveryCode.used_at.is_(None))
        .scalar_subquery()
        .label("left")
    )
    row = db.session.execute(select(User.totp_secret, unused).where(User.id == user_id)).one()
    return State(row.totp_secret is not None, row.left)


def begin(*, user_id: UUID, email: str, sealed: str = "") -> Enrolment:
    """Draw a secret for a phone, or the one of before again; nothing is stored until a code has proven it."""
    secret = _unseal(user_id, sealed) or totp.new_secret()
    again = sealing.seal(f"{user_id}:{secret}", purpose=sealing.SECOND_FACTORS)
    return Enrolment(secret, again, address_svg(totp.enrolment_address(secret, email=email)))


def turn_on(*, user_id: UUID, sealed: str, code: str, at: datetime, key: RequestKey) -> RecoveryCodes:
    """Turn the second factor on after a code of the phone, and make the recovery codes."""
    if answered := idempotency.find(key, RecoveryCodes):
        return answered
    secret = _unseal(user_id, sealed)
    if secret is None:
        raise ValidationError({"code": N_("This page was open for too long. Scan the new code below.")})
    _reserve(user_id, at)
    step = totp.matching_step(secret, code, at=at, after=None)
    if step is None:
        raise ValidationError({"code": WRONG_CODE})

    def work() -> RecoveryCodes:
        kept = sealing.seal(secret, purpose=sealing.SECOND_FACTORS)
        free = update(User).where(User.id == user_id, User.totp_secret.is_(None))
        done = db.session.scalar(free.values(totp_secret=kept, totp_step=step).returning(User.id))
        if done is None:
            raise ValidationError({"code": N_("A second factor is on already.")})
        _forgive(user_id)
        _record(user_id, "second_factor.turned_on")
        return RecoveryCodes(_make_codes(user_id))

    return idempotency.run(key, RecoveryCodes, work)


def turn_off(*, user_id: UUID, code: str, at: datetime, key: RequestKey) -> TurnedOff:
    """Turn the second factor off after a code; the caller has asked for the password."""
    if answered := idempotency.find(key, TurnedOff):
        return answered
    check(user_id=user_id, code=code, at=at)

    def work() -> TurnedOff:
        remove(user_id=user_id)
        _record(user_id, "second_factor.turned_off")
        return TurnedOff()

    return idempotency.run(key, TurnedOff, work)


def turn_off_for(*, email: str) -> None:
    """Turn the second factor of somebody off who has lost phone and codes: by whoever runs the platform."""
    with transaction():
        user_id = db.session.scalar(select(User.id).where(User.email == email.strip().lower()))
        if user_id is None:
            raise NotFound
        remove(user_id=user_id)
        audit.record(actor=Admin(), action="second_factor.turned_off", subject_type="user", subject_id=user_id)


def remove(*, user_id: UUID) -> None:
    """Forget a person's second factor, in the caller's transaction."""
    db.session.execute(update(User).where(User.id == user_id).values(totp_secret=None, totp_step=None))
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def check(*, user_id: UUID, code: str, at: datetime) -> None:
    """Take a code of the phone or one for a lost phone, each once; wrong ones wait ever longer."""
    # Counted and committed before anything is compared, so parallel guesses get exactly the limit.
    _reserve(user_id, at)
    with transaction():
        person = select(User.totp_secret, User.totp_step).where(User.id == user_id).with_for_update()
        row = db.session.execute(person).one_or_none()
        if row is None or row.totp_secret is None:
            raise NotFound
        secret = sealing.open_sealed(row.totp_secret, purpose=sealing.SECOND_FACTORS)
        step = totp.matching_step(secret, code, at=at, after=row.totp_step)
        if step is not None:
            db.session.execute(update(User).where(User.id == user_id).values(totp_step=step))
        elif not _use_recovery_code(user_id, code, at):
            raise ValidationError({"code": WRONG_CODE})
        _forgive(user_id)


def _reserve(user_id: UUID, at: datetime) -> None:
    with transaction():
        outcome = throttles.reserve_waiting(
            source="second-factor", subject=str(user_id), waits=WAITS, memory=MEMORY, at=at
        )
    if isinstance(outcome, throttles.Refused):
        raise RateLimited(retry_at=outcome.until)


def _forgive(user_id: UUID) -> None:
    throttles.reset(source="second-factor", subject=str(user_id))


def _use_recovery_code(user_id: UUID, code: str, at: datetime) -> bool:
    unused = update(RecoveryCode).where(
        RecoveryCode.user_id == user_id, RecoveryCode.code_hash == _hash(user_id, code), RecoveryCode.used_at.is_(None)
    )
    return db.session.scalar(unused.values(used_at=at).returning(RecoveryCode.user_id)) is not None


def _make_codes(user_id: UUID) -> tuple[str, ...]:
    codes: Sequence[str] = totp.new_recovery_codes()
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    rows = [{"user_id": user_id, "code_hash": _hash(user_id, code)} for code in codes]
    db.session.execute(insert(RecoveryCode), rows)
    return tuple(codes)


def _hash(user_id: UUID, code: str) -> str:
    return sealing.digest(f"{user_id}:{totp.plain(code)}", purpose=sealing.SECOND_FACTORS)


def _unseal(user_id: UUID, sealed: str) -> str | None:
    """Read the secret that was drawn for this person, None where it is somebody else's or nobody's."""
    try:
        owner, _, secret = sealing.open_sealed(sealed, purpose=sealing.SECOND_FACTORS).partition(":")
    except (sealing.SecretUnreadable, UnicodeError):
        return None
    return secret if owner == str(user_id) else None


def _record(user_id: UUID, action: str) -> None:
    # It is the person's own, in whatever shop they work.
    audit.record(actor=Admin(user_id=user_id), action=action, subject_type="user", subject_id=user_id)
