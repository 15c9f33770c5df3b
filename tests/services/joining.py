"""How Cleo joins the bakery, and what that leaves in the database."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.models.mail import EmailLog
from loyalty.services import enrolment
from loyalty.services.enrolment import Joined, JoinForm
from tests.factories import Shop, make_key

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLEO = JoinForm(email="Cleo@Example.org ")


def join(shop: Shop, form: JoinForm = CLEO, *, at: datetime = NOW, store: str | None = None, key: str = "") -> Joined:
    request = make_key(asked=form, key=key or None)
    return enrolment.join(vendor_code=shop.code, store_code=store, form=form, locale="fr", key=request, at=at)


def rows(model: Any) -> list[Any]:
    with transaction():
        db.session.expire_all()
        return list(db.session.execute(sa.select(model).order_by(model.created_at)).scalars())


def kinds() -> list[str]:
    return sorted(mail.kind for mail in rows(EmailLog))
