"""The audit log speaks: every action that is written down has words, and details read like sentences."""

import re
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from config import ROOT
from loyalty.database import db
from loyalty.domain.values import TransactionType
from loyalty.domain.webhooks import EVENTS
from loyalty.jobs.handlers import HANDLERS
from loyalty.models.audit import AuditEvent
from loyalty.services import archives
from loyalty.web import audit_words
from tests import world
from tests.factories import make_shop

CODE = re.compile(r"""["']([a-z][a-z_]*\.[a-z][a-z_]*)["']""")
FILES = (".html", ".txt", ".json")
# Deliveries and messages have names of the same shape.
OTHERS = {*HANDLERS, *EVENTS} - set(audit_words.ACTIONS)


def written() -> set[str]:
    """Return every name of an action that stands in a service which writes the log."""
    found = {TransactionType.CARD_DEACTIVATED.value, TransactionType.CARD_REACTIVATED.value}
    for path in (ROOT / "loyalty" / "services").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if re.search(r"\baudit\b", text):
            found |= {name for name in CODE.findall(text) if not name.endswith(FILES)}
    return found


def test_it_has_words_for_every_action() -> None:
    assert sorted(written() - OTHERS - set(audit_words.ACTIONS)) == []


def test_it_has_no_words_for_what_nobody_does() -> None:
    assert sorted(set(audit_words.ACTIONS) - written()) == []


def test_it_has_words_for_what_a_shop_does_all_day(app: Flask) -> None:
    with app.app_context():
        world.make_business("bakery")
        done = set(db.session.scalars(sa.select(AuditEvent.action)))
    assert len(done) >= 5
    assert sorted(done - set(audit_words.ACTIONS)) == []


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({}, []),
        ({"before": {"pin_lockout_minutes": 30}, "after": {"pin_lockout_minutes": 45}},
         [("Longest wait in minutes", "30, now 45")]),
        ({"before": {"log_ip_addresses": True}, "after": {"log_ip_addresses": False}},
         [("Keep the network address of every entry", "Yes, now No")]),
        ({"role": "manager", "changed": ["name", "lock_minutes"]},
         [("Changed", "Name, Locks by itself after"), ("Role", "Manager")]),
        ({"store_id": None, "until": "2026-01-05T10:30:00+00:00"},
         [("Store", "–"), ("Until", "5 Jan 2026, 10:30 UTC")]),
        ({"joined_since": "2026-01-05", "transaction": "01a1ff9d-5180-74b2-b704-f42abb99a901"},
         [("Joined from", "5 Jan 2026"), ("Entry", "…bb99a901")]),
        ({"delta": -12000, "note": "Tuesday"}, [("Changed by", "-12,000"), ("Note", "Tuesday")]),
        ({"before": {"staff_pin_policy": "required"}, "after": {"staff_pin_policy": "disabled"}, "show": "behind"},
         [("Does the till ask for a staff PIN?", "Always, now Never"), ("Show", "Pass behind")]),
        ({"rows": {"cards": 2, "mails": 1}, "name": "manager"},
         [("Name", "manager"), ("Rows", "Cards: 2, Mails: 1")]),
        ({"role": "gardener"}, [("Role", "gardener")]),
    ],
    ids=["nothing", "before and after", "switch", "list", "time", "day and id", "number", "codes", "rows", "unknown"],
)  # fmt: skip
def test_it_says_details_as_people_do(app: Flask, details: dict[str, object], words: list[tuple[str, str]]) -> None:
    with app.test_request_context("/admin/audit?lang=en"):
        assert audit_words.detail_words(details) == words


def test_it_has_words_for_every_list_of_an_archive(app: Flask) -> None:
    with app.app_context():
        ada = make_shop().ada
        archives.make(actor=ada, say=str, at=datetime(2026, 11, 20, tzinfo=UTC)).close()
        query = sa.select(AuditEvent.details).where(AuditEvent.action == "archive.exported")
        details = db.session.execute(query).scalar_one()
    with app.test_request_context("/admin/audit?lang=en"):
        [(name, lists)] = audit_words.detail_words(details)
        assert name == "Rows"
        for unspoken in ("Chain heads", "Transaction details", "Audit:"):
            assert unspoken not in lists
    assert set(details["rows"]) | {"rows"} <= set(audit_words.DETAILS)


def test_it_calls_what_it_does_not_know_by_its_name(app: Flask) -> None:
    with app.test_request_context("/admin/audit?lang=en"):
        assert audit_words.action_words("moon.landed") == "moon.landed"
        assert audit_words.subject_words("space_ship") == "space ship"
