"""The page of health: what is down stands first, in words and in the title."""

import re
from datetime import UTC, datetime

from flask import Flask

from loyalty.services import health
from tests.outbox_rows import make_row
from tests.web.admin.conftest import Platform

HTMX = {"HX-Request": "true"}


def rows(page: str) -> dict[str, str]:
    """Return what each row of the table says."""
    found = {}
    for row in page.split("<tr>")[2:]:
        words = " ".join(re.sub(r"<[^>]+>", " ", row.split("</tr>")[0]).split())
        name = re.sub(r"<[^>]+>", "", row.split("</th>")[0]).strip()
        found[name] = words.removeprefix(name).strip()
    return found


def test_it_shows_every_part_with_its_state(app: Flask, platform: Platform) -> None:
    with app.app_context():
        health.note_run(name="sweep", at=datetime.now(UTC))
    found = rows(platform.client.get("/admin/health").text)
    assert found["Tables"].startswith("OK The tables fit the program.")
    assert found["Minute clock"].startswith("OK It last ran: today, ")
    assert found["Redis and workers"].startswith("Out of order No worker runs")
    assert found["Mail"].startswith("Warning Mails are kept as files")
    assert found["Apple Wallet"].startswith("Unknown Not set up.")
    assert found["Google Wallet"].startswith("Unknown Not set up.")
    assert re.match(r"OK PostgreSQL [\d.]+ answered in \d+ ms\.", found["Database"])
    assert found["Clock"].startswith("OK This machine and the database agree.")
    assert re.search(r"Free: [\d,]+ MB, \d+ %\.", found["Disk"])
    assert next(iter(found)) == "Redis and workers"


def test_it_has_two_faces_and_says_problem_in_both_titles(app: Flask, platform: Platform) -> None:
    page = platform.client.get("/admin/health")
    part = platform.client.get("/admin/health", headers=HTMX)
    assert "<title>(1) Problem · Health · Platform</title>" in page.text
    assert part.text.startswith("<title>(1) Problem · Health · Platform</title>\n<section")
    assert part.text.count("<section") == 1
    assert "HX-Request" in page.vary
    assert "1 part is down." in part.text


def test_it_counts_what_is_down(app: Flask, platform: Platform) -> None:
    with app.app_context():
        make_row(due=datetime(2026, 1, 1, tzinfo=UTC))
    assert "<title>(2) Problem" in platform.client.get("/admin/health").text


def test_it_speaks_the_language_of_the_reader(platform: Platform) -> None:
    for language in ("fr", "de", "lb"):
        assert platform.client.get(f"/admin/health?lang={language}").status_code == 200
