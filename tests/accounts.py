"""People who sign in, as tests need them: with a phone that shows codes, and with a mailbox that is read."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyotp
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.mails import RenderedMail
from loyalty.domain.values import RequestKey
from loyalty.models.mail import EmailLog
from loyalty.services import accounts, second_factors
from tests.mails import render_mail
from tests.office import PASSWORD, Office

HOME = "192.0.2.7"
NEW_PASSWORD = "rye and sourdough 1912"


def key_for(name: str, caller: str = "user:test") -> RequestKey:
    """Make a key for a command of one person, the same for the same name."""
    return RequestKey(caller, f"key-of-{name}-and-some-more", "asked")


def id_of(office: Office) -> UUID:
    """Return the id of whoever acts for an office."""
    assert office.actor.user_id is not None
    return office.actor.user_id


def code_at(secret: str, at: datetime) -> str:
    """Return what the phone shows."""
    return pyotp.TOTP(secret).at(at)


def give_phone(office: Office, at: datetime) -> tuple[str, tuple[str, ...]]:
    """Turn the second factor on; returns the secret and the recovery codes. The code of `at` is used up by it."""
    return _turn_on(id_of(office), office.email, at)


def make_admin(email: str) -> str:
    """Make somebody who runs the platform; returns the secret of the phone, whose code of a minute ago is used up."""
    user_id = accounts.create_user(email=email, password=PASSWORD, is_admin=True)
    return _turn_on(user_id, email, datetime.now(UTC) - timedelta(minutes=1))[0]


def mails(kind: str) -> list[RenderedMail]:
    """Read the mails of a kind, the oldest first."""
    with transaction():
        query = sa.select(EmailLog.id).where(EmailLog.kind == kind)
        found = db.session.scalars(query.order_by(EmailLog.created_at, EmailLog.id)).all()
    return [render_mail(mail_id) for mail_id in found]


def token_in(mail: RenderedMail) -> str:
    """Return the token of the link in a mail."""
    (line,) = [line for line in mail.text.splitlines() if "/office/" in line]
    return line.rpartition("/")[2]


def _turn_on(user_id: UUID, email: str, at: datetime) -> tuple[str, tuple[str, ...]]:
    offered = second_factors.begin(user_id=user_id, email=email)
    made = second_factors.turn_on(
        user_id=user_id, sealed=offered.sealed, code=code_at(offered.secret, at), at=at, key=key_for("turn-on")
    )
    assert made.codes is not None
    return offered.secret, made.codes
