"""What each check of an installation says; what was never seen at work is unknown."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from config import Config
from loyalty import queue
from loyalty.domain.values import Admin
from loyalty.services import google_passes, health, health_machine, health_partners, health_report, passes
from loyalty.services.health import Installation, Readiness, State
from tests.apple_passes import passes as made_passes
from tests.outbox_rows import make_row

NOW = datetime.now(UTC)
EVERYTHING = Installation(data_dir=Path("/"), versions=(), has_mail=True, has_apple=True, has_google=True)


@pytest.fixture
def with_apple() -> Iterator[None]:
    """Passes are made here."""
    passes.configure(apple=made_passes())
    yield
    passes.configure(apple=None)


@pytest.mark.parametrize(
    ("age", "state"),
    [(0, State.OK), (60, State.OK), (61, State.WARNING), (300, State.WARNING), (301, State.DOWN)],
)
def test_it_warns_before_deliveries_are_late(age: int, state: State) -> None:
    found = health_machine.deliveries(Readiness(migrations=True, queue_age_seconds=age), at=NOW)
    assert found.state is state
    assert found.since == (None if state is State.OK else NOW - timedelta(seconds=age))


def test_it_knows_tables_that_are_too_old() -> None:
    found = [health_machine.migrations(Readiness(migrations=fit, queue_age_seconds=0)) for fit in (True, False)]
    assert [check.state for check in found] == [State.OK, State.DOWN]
    assert "db upgrade" in found[1].advice


def test_it_says_that_redis_does_not_answer(context: None, config: Config) -> None:
    assert health_machine.workers().state is State.DOWN
    queue.configure("redis://127.0.0.1:1/0")
    try:
        away = health_machine.workers()
    finally:
        queue.configure(config.redis_url)
    assert (away.state, away.value) == (State.DOWN, "Redis does not answer.")
    assert away.words


def test_it_knows_when_the_minute_clock_stopped(context: None) -> None:
    assert health_machine.sweep(at=NOW).state is State.UNKNOWN
    health.note_run(name="sweep", at=NOW)
    assert health_machine.sweep(at=NOW + timedelta(minutes=5)).state is State.OK
    stopped = health_machine.sweep(at=NOW + timedelta(minutes=6))
    assert (stopped.state, stopped.since) == (State.DOWN, NOW)


def test_it_never_sets_the_minute_clock_back(context: None) -> None:
    health.note_run(name="sweep", at=NOW)
    health.note_run(name="sweep", at=NOW - timedelta(hours=1))
    assert health.find_last_run(name="sweep") == NOW


@pytest.mark.parametrize(
    ("free", "state"),
    [(50, State.OK), (9, State.WARNING), (1, State.DOWN)],
)
def test_it_warns_before_the_disk_is_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, state: State
) -> None:
    total = 1_000_000_000_000
    usage = SimpleNamespace(total=total, free=total // 100 * free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert health_machine.disk(folder=tmp_path / "not" / "there").state is state


def test_it_warns_on_a_small_disk_with_much_free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = SimpleNamespace(total=1_500_000_000, free=1_400_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert health_machine.disk(folder=tmp_path).state is State.WARNING


def test_it_knows_when_the_last_backup_was_made(tmp_path: Path) -> None:
    assert health_machine.backup(folder=tmp_path, at=NOW).state is State.WARNING
    file = tmp_path / health_machine.BACKUP_FILE
    file.write_text(json.dumps({"made_at": NOW.isoformat()}))
    assert health_machine.backup(folder=tmp_path, at=NOW + timedelta(hours=47)).state is State.OK
    old = health_machine.backup(folder=tmp_path, at=NOW + timedelta(hours=49))
    assert (old.state, old.since) == (State.DOWN, NOW + timedelta(hours=48))
    file.write_text("nonsense")
    assert health_machine.backup(folder=tmp_path, at=NOW).state is State.WARNING


@pytest.mark.parametrize(
    ("days", "state", "advice"),
    [
        (61, State.OK, ""),
        (60, State.WARNING, "Renew it within the next month."),
        (30, State.WARNING, "Renew it within the next two weeks."),
        (14, State.WARNING, "Renew it this week."),
        (3, State.DOWN, "Renew it today"),
        (-1, State.DOWN, "Renew it today"),
    ],
)
def test_it_asks_for_new_certificates_ever_more_urgently(days: int, state: State, advice: str) -> None:
    found = health_partners.certificate(name="apple_leaf", ends=NOW + timedelta(days=days, hours=1), at=NOW)
    assert (found.state, found.details["days"]) == (state, days)
    assert found.advice.startswith(advice)
    assert ("Ended" in found.value) == (days < 0)


def test_it_looks_at_both_certificates(with_apple: None) -> None:
    found = health_partners.certificates(at=NOW)
    assert [(check.name, check.state) for check in found] == [
        ("apple_leaf", State.OK),
        ("apple_intermediate", State.OK),
    ]


def test_it_has_no_certificates_where_no_passes_are_made() -> None:
    assert health_partners.certificates(at=NOW) == []


def mail_state() -> tuple[State, str]:
    partner = health_partners.read(at=datetime.now(UTC))["mail"]
    found = health_partners.mail(partner, installation=EVERYTHING)
    return found.state, found.words


def test_it_knows_a_partner_by_its_last_deliveries(context: None) -> None:
    assert mail_state() == (State.UNKNOWN, "")
    make_row(kind="mail.enrollment", delivered=datetime.now(UTC) - timedelta(hours=1))
    assert mail_state() == (State.OK, "")
    make_row(kind="mail.card_link", attempts=3, error="451 <cleo@example.org> later")
    assert mail_state() == (State.DOWN, "451 <…@…> later")
    make_row(kind="mail.enrollment", delivered=datetime.now(UTC) + timedelta(seconds=1))
    assert mail_state() == (State.WARNING, "451 <…@…> later")


def test_it_sees_that_apple_is_not_asked_for_now(context: None, with_apple: None) -> None:
    make_row(kind="apple.push", delivered=datetime.now(UTC))
    make_row(kind="apple.push", error="pushes pause; look at certificate, topic and address: 403 BadCertificate")
    found = health_partners.apple(health_partners.read(at=NOW)["apple"], installation=EVERYTHING)
    assert (found.state, found.details["held"]) == (State.DOWN, 1)
    assert found.words.endswith("403 BadCertificate")


def test_it_takes_keeping_to_a_pace_for_no_trouble(context: None, with_apple: None) -> None:
    make_row(kind="apple.push", delivered=datetime.now(UTC))
    make_row(kind="apple.push", error="")
    found = health_partners.apple(health_partners.read(at=NOW)["apple"], installation=EVERYTHING)
    assert found.state is State.OK


def test_it_says_why_passes_are_off(context: None) -> None:
    partners = health_partners.read(at=NOW)
    passes.configure(apple=None, reason="Apple passes are off: pass.pem ended.")
    google_passes.configure(google=None, reason="Google Wallet needs a PUBLIC_URL with https.")
    try:
        apple = health_partners.apple(partners["apple"], installation=EVERYTHING)
        google = health_partners.google(partners["google"], installation=EVERYTHING)
    finally:
        passes.configure(apple=None)
        google_passes.configure(google=None)
    assert (apple.state, apple.words) == (State.DOWN, "Apple passes are off: pass.pem ended.")
    assert (google.state, google.words) == (State.DOWN, "Google Wallet needs a PUBLIC_URL with https.")


def test_it_shows_what_can_be_checked_when_something_cannot(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise OSError("no such device")

    monkeypatch.setattr("shutil.disk_usage", broken)
    found = health_report.examine(admin=Admin(), installation=EVERYTHING, at=NOW)
    states = {check.name: check.state for check in found}
    assert (states["disk"], states["database"]) == (State.UNKNOWN, State.OK)
    assert found[0].state is State.DOWN
