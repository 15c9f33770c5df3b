"""Apple passes: what the pass of a card shows, who may fetch it, and when it changed.

Everything that was ever served has been noted before: its digest, its time and, from the second one on, its number.
"""

import hmac
import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Update, bindparam, case, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from loyalty.database import db, end_reading, run_alone, transaction, unflushed
from loyalty.errors import NotAuthenticated, NotFound
from loyalty.models.cards import LoyaltyCard
from loyalty.models.passes import AppleDeviceRegistration, WalletClock
from loyalty.models.programs import LoyaltyProgram
from loyalty.services import apple_content, links, outbox
from loyalty.services.apple_content import ShownPass
from loyalty.wallets.apple import ApplePasses
from loyalty.wallets.apple_signature import CertificateEnds

_SERIAL = re.compile("[A-Za-z0-9_-]{1,64}", re.ASCII)
# Compared where there is no card, so that a wrong serial takes as long as a wrong token.
_NOBODY = secrets.token_urlsafe(32)
_SECOND = timedelta(seconds=1)
_LOCK: Final = select(LoyaltyCard.id).where(LoyaltyCard.id == bindparam("card_id")).with_for_update()

_apple: ApplePasses | None = None
_reason = ""


@dataclass(frozen=True, slots=True)
class ServedPass:
    """An answer to a phone; without a `pkpass` it has the present one already.

    The pass shows the card as it was at `read_at`, after its transaction number `ledger_seq`; `is_known` where it is
    noted already that somebody has fetched just this.
    """

    pkpass: bytes | None
    last_modified: datetime
    read_at: datetime
    ledger_seq: int
    is_known: bool


def configure(*, apple: ApplePasses | None, reason: str = "") -> None:
    """Receive what makes passes; without it `reason` says what is wrong with what was configured."""
    global _apple, _reason
    _apple, _reason = apple, reason


def reason_off() -> str:
    """Say why no passes are made although they are configured; empty otherwise."""
    return _reason


def find_certificate_ends() -> CertificateEnds | None:
    """Return when each of the certificates ends, None where no passes are made."""
    return _apple.certificate_ends if _apple else None


def find_pass_type() -> str | None:
    """Return the type of the passes that are made here, None where there are none."""
    apple = _find_apple()
    return apple.pass_type_id if apple else None


def find_setup() -> str | None:
    """Return what all passes are made with, None where there are none."""
    return _apple.setup if _apple else None


def find_apple_link(*, public_token: str) -> str | None:
    """Return where the pass of a card is downloaded; None where no passes are made. The first use names the pass."""
    if _find_apple() is None:
        return None
    own = LoyaltyCard.public_token == public_token
    serial = db.session.scalar(select(LoyaltyCard.apple_serial_number).where(own))
    if serial is None:
        with transaction():
            # Two who ask at once: the second finds the serial of the first, which is in somebody's phone by then.
            new = {"apple_serial_number": secrets.token_urlsafe(16), "apple_auth_token": secrets.token_urlsafe(32)}
            unnamed = LoyaltyCard.apple_serial_number.is_(None)
            db.session.execute(update(LoyaltyCard).where(own, unnamed).values(**new, **_untouched()))
            serial = db.session.scalar(select(LoyaltyCard.apple_serial_number).where(own))
    return links.apple_pass(serial, public_token) if serial else None


def changed(*, card_id: UUID, vendor_id: UUID) -> None:
    """Have the phones with a card's pass told of a change, in the caller's transaction; some phone must hold it."""
    outbox.add(kind="apple.push", subject_id=card_id, vendor_id=vendor_id)


def program_changed(*, vendor_id: UUID) -> None:
    """Have the phones with a vendor's passes told, in the caller's transaction: what all of the passes show changed."""
    if db.session.scalar(select(exists().where(AppleDeviceRegistration.vendor_id == vendor_id))):
        outbox.add(kind="apple.program", subject_id=vendor_id, vendor_id=vendor_id)


def program_activated(program: LoyaltyProgram) -> None:
    """Note on the program under which pass type its cards are in phones."""
    program.apple_pass_type_id = find_pass_type() or program.apple_pass_type_id


def tell_next_cards(*, vendor_id: UUID, after: UUID, limit: int) -> UUID | None:
    """Have the phones with the next cards of a vendor told; returns the last of those cards, None at the end."""
    query = (
        select(AppleDeviceRegistration.card_id)
        .where(AppleDeviceRegistration.vendor_id == vendor_id, AppleDeviceRegistration.card_id > after)
        .distinct()
        .order_by(AppleDeviceRegistration.card_id)
        .limit(limit)
    )
    with transaction():
        card_ids = list(db.session.execute(query).scalars())
        outbox.add_many(kind="apple.push", subjects=[(card_id, vendor_id) for card_id in card_ids])
    return card_ids[-1] if len(card_ids) == limit else None


def on_phones(card_id: BindParameter[UUID]) -> ColumnElement[bool]:
    """The condition that some phone holds a card's pass."""
    return exists().where(AppleDeviceRegistration.card_id == card_id)


def authenticate(*, pass_type: str, serial: str, token: bytes) -> UUID:
    """Return the card whose pass it is, or raise NotAuthenticated: all wrong ones are answered alike."""
    return _identify(LoyaltyCard.apple_auth_token, serial, token, known=pass_type == find_pass_type())


def download(*, serial: str, token: bytes) -> bytes:
    """Make the pass for the page that offers it, or raise NotFound; the secret is that of the card's page."""
    try:
        card_id = _identify(LoyaltyCard.public_token, serial, token, known=True)
    except NotAuthenticated:
        raise NotFound from None
    shown = _noted(card_id)
    with transaction():
        # Whoever adds it now sees this. Where a phone has it already, a second download says nothing about that phone.
        nowhere = ~exists().where(AppleDeviceRegistration.card_id == card_id)
        db.session.execute(_fetched((LoyaltyCard.id == card_id) & nowhere, shown.read_at, shown.ledger_seq))
    return _require_apple().make(shown.content, shown.facts)


def get_pass(*, pass_type: str, serial: str, token: bytes, since: datetime | None) -> ServedPass:
    """Make the present pass for a phone, unless the phone has it since `since`."""
    row = apple_content.find(serial=serial if _SERIAL.fullmatch(serial) else "")
    # Checked before anything is made of the row: all wrong ones take the same time.
    right = _is_right(row.apple_auth_token if row else None, token)
    if row is None or not right or pass_type != find_pass_type():
        raise NotAuthenticated
    shown = apple_content.describe(row, apple=_require_apple())
    shown = shown if shown.digest == shown.noted else _noted(shown.card_id)
    changed_at = (shown.changed_at or shown.read_at).replace(microsecond=0)
    # Within the same second the pass may change once more, and whole seconds are all that a phone sends back.
    last_modified = changed_at if shown.read_at >= changed_at + _SECOND else changed_at - _SECOND
    fresh = since is not None and changed_at <= since
    made = None if fresh else _require_apple().make(shown.content, shown.facts)
    return ServedPass(made, last_modified, shown.read_at, shown.ledger_seq, shown.is_known)


def note_fetched(*, serial: str, served: ServedPass) -> None:
    """Remember what a phone has fetched; of two at once the newer content counts, whoever is noted last."""
    if not served.is_known:
        noted = _fetched(LoyaltyCard.apple_serial_number == serial, served.read_at, served.ledger_seq)
        # Where this is lost the pass just counts as not fetched, until somebody asks for it again.
        run_alone(noted.returning(unflushed()))


def lock_card(*, card_id: UUID) -> None:
    """In the caller's transaction: hold a card, so that its phones and what its pass shows stay as they are."""
    db.session.connection().execute(_LOCK, {"card_id": card_id})


def note_change(*, card_id: UUID) -> ShownPass:
    """Number what the pass shows now, if that is new: the last step of a transaction that has locked the card.

    The lock on the counter is held until the commit, so a later number is never seen before an earlier one.
    """
    shown = apple_content.read(card_id=card_id, apple=_require_apple())
    if shown.digest == shown.noted:
        return shown
    # What nobody has got yet is no change.
    first = shown.noted is None
    values = {"card_id": card_id, "digest": shown.digest, **({} if first else _number())}
    row = db.session.connection().execute(_noting(first=first), values).one()
    return replace(shown, noted=shown.digest, change_seq=row.apple_change_seq, changed_at=row.apple_changed_at)


def draw_number() -> int:
    """Draw the next number of this pass type; the last thing before a commit, since all others wait for it."""
    seq: int = db.session.connection().execute(_drawing(), _number()).scalar_one()
    return seq


def _find_apple() -> ApplePasses | None:
    """Return what makes passes until its certificates end: phones refuse what is signed afterwards."""
    return _apple if _apple and _apple.days_left(datetime.now(UTC)) >= 0 else None


def _number() -> dict[str, object]:
    """What a number is drawn with: the pass type, and the first number of one that has none yet."""
    return {"asked": _require_apple().pass_type_id, "started": int(datetime.now(UTC).timestamp() * 1000)}


@cache
def _noting(*, first: bool) -> ReturningUpdate[*tuple[Any, ...]]:
    """Put together once, like the next one. A number is drawn by the same statement: all others wait for its end."""
    seq = literal(0) if first else select(_drawing().cte("drawn").c.seq).scalar_subquery()
    now = func.clock_timestamp()
    # Where the database's clock was set back, the time of a change is still later than that of the one before.
    later = case((LoyaltyCard.apple_changed_at >= now, LoyaltyCard.apple_changed_at + _SECOND), else_=now)
    noted = update(LoyaltyCard).where(LoyaltyCard.id == bindparam("card_id"))
    new = {"apple_content_hash": bindparam("digest"), "apple_change_seq": seq, "apple_changed_at": later}
    returned = LoyaltyCard.apple_change_seq, LoyaltyCard.apple_changed_at
    return noted.values(**new, **_untouched()).returning(*returned)


@cache
def _drawing() -> ReturningInsert[*tuple[Any, ...]]:
    drawn = insert(WalletClock).values(pass_type=bindparam("asked"), seq=bindparam("started"))
    drawn = drawn.on_conflict_do_update(index_elements=[WalletClock.pass_type], set_={"seq": WalletClock.seq + 1})
    return drawn.returning(WalletClock.seq)


def _require_apple() -> ApplePasses:
    apple = _find_apple()
    if apple is None:
        raise NotAuthenticated
    return apple


def _identify(secret: Any, serial: str, token: bytes, *, known: bool) -> UUID:  # a column
    """Find a card by its serial and check the token, in the same time whatever is wrong."""
    _require_apple()
    asked = serial if _SERIAL.fullmatch(serial) else ""
    row = db.session.execute(
        select(LoyaltyCard.id, secret.label("secret")).where(LoyaltyCard.apple_serial_number == asked)
    ).one_or_none()
    right = _is_right(row.secret if row else None, token)
    if row is None or not right or not known:
        raise NotAuthenticated
    card_id: UUID = row.id
    return card_id


def _is_right(secret: str | None, token: bytes) -> bool:
    return hmac.compare_digest(token, (secret or _NOBODY).encode())


def _noted(card_id: UUID) -> ShownPass:
    """Read what the pass shows, and note it before anybody gets it."""
    shown = apple_content.read(card_id=card_id, apple=_require_apple())
    if shown.digest != shown.noted:
        with transaction():
            lock_card(card_id=card_id)
            shown = note_change(card_id=card_id)
    end_reading()
    return shown


def _fetched(which: ColumnElement[bool], read_at: datetime, ledger_seq: int) -> Update:
    older = LoyaltyCard.apple_fetched_at.is_(None) | (LoyaltyCard.apple_fetched_at <= read_at)
    noted = update(LoyaltyCard).where(which, older)
    return noted.values(apple_fetched_at=read_at, apple_shown_seq=ledger_seq, **_untouched())


def _untouched() -> dict[str, Any]:  # a value for Core
    """Leave the card's own time of change alone: nothing about the customer's card has changed."""
    return {"updated_at": LoyaltyCard.updated_at}
