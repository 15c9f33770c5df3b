"""Entering a shop as the platform's admin, and what is written down of it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.database import db, transaction
from loyalty.models.audit import AuditEvent
from loyalty.models.users import UserSession
from tests.browsing import hidden
from tests.office import Office

LEAVE = "/admin/acting/leave"


def act(client: FlaskClient, shop: Office, reason: str = "She asked on the phone") -> TestResponse:
    path = f"/admin/vendors/{shop.vendor_id}/act"
    return client.post(path, data={**hidden(client.get(path), path), "reason": reason})


def leave(client: FlaskClient, page: TestResponse) -> TestResponse:
    return client.post(LEAVE, data=hidden(page, LEAVE))


def end_the_hour(app: Flask) -> None:
    """Let the hour pass: its end lies in the past."""
    with app.app_context(), transaction():
        past = datetime.now(UTC) - timedelta(seconds=1)
        db.session.execute(
            sa.update(UserSession).where(UserSession.acting_until.is_not(None)).values(acting_until=past)
        )


def events(app: Flask) -> list[tuple[str, UUID | None, bool]]:
    with app.app_context():
        rows = db.session.execute(sa.select(AuditEvent).order_by(AuditEvent.created_at)).scalars()
        return [(row.action, row.user_id, row.on_behalf) for row in rows]
