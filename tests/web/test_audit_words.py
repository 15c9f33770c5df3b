"""The audit log speaks: every action that is written down has words, and details read like sentences."""

import re

import pytest
import sqlalchemy as sa
from flask import Flask

from config import ROOT
from loyalty.database import db
from loyalty.domain.values import TransactionType
from loyalty.domain.webhooks import EVENTS
from loyalty.jobs.handlers import HANDLERS
from loyalty.models.audit import AuditEvent
from loyalty.web import audit_words
from tests import world

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
         [("Changed", "Name, Lock minutes"), ("Role", "manager")]),
        ({"store_id": None, "until": "2026-01-05T10:30:00+00:00"},
         [("Store", "–"), ("Until", "5 Jan 2026, 10:30 UTC")]),
        ({"joined_since": "2026-01-05", "transaction": "01a1ff9d-5180-74b2-b704-f42abb99a901"},
         [("Joined from", "5 Jan 2026"), ("Entry", "…bb99a901")]),
        ({"delta": -12000, "note": "Tuesday"}, [("Changed by", "-12,000"), ("Note", "Tuesday")]),
    ],
    ids=["nothing", "before and after", "switch", "list", "time", "day and id", "number"],
)  # fmt: skip
def test_it_says_details_as_people_do(app: Flask, details: dict[str, object], words: list[tuple[str, str]]) -> None:
    with app.test_request_context("/admin/audit?lang=en"):
        assert audit_words.detail_words(details) == words


def test_it_calls_what_it_does_not_know_by_its_name(app: Flask) -> None:
    with app.test_request_context("/admin/audit?lang=en"):
        assert audit_words.action_words("moon.landed") == "moon.landed"
        assert audit_words.subject_words("space_ship") == "space ship"
