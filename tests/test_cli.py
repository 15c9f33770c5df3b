"""The commands: what they print, and how they refuse."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from config import Config
from loyalty import demo, doctor
from loyalty.services import accounts


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=words)


def cards(app: Flask) -> int:
    with app.app_context():
        engine = sa.create_engine(app.config["CONFIG"].database_url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM loyalty_cards")).scalar_one())


def test_it_opens_a_vendor_whose_owner_can_sign_in(app: Flask) -> None:
    done = run(app, "vendor", "create", "cafe", "Café Léo", "ada@cafe.example.com")
    assert done.exit_code == 0, done.output
    password = done.output.split()[-1]
    with app.app_context():
        session = accounts.sign_in(
            email="ada@cafe.example.com", password=password, source_ip=None, at=datetime.now(UTC)
        )
    assert session.vendor_id is not None
    assert "/join/cafe" in done.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("Cafe!", "Café", "ada@cafe.example.com"), "code:"),
        (("cafe", "Café", "nobody"), "email:"),
        (("cafe", "Café", "ada@cafe.example.com", "--timezone", "Mars/Base"), "timezone:"),
        (("cafe", "Café", "ada@cafe.example.com", "--currency", "XXXX"), "currency:"),
    ],
)
def test_it_opens_nothing_of_a_vendor_that_is_wrong(app: Flask, words: tuple[str, ...], sentence: str) -> None:
    done = run(app, "vendor", "create", *words)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {sentence}")
    assert run(app, "vendor", "create", "cafe", "Café", "ada@cafe.example.com").exit_code == 0


def test_it_makes_an_admin(app: Flask) -> None:
    done = run(app, "admin", "create", "mallory@platform.example.com")
    with app.app_context():
        token = accounts.sign_in(
            email="mallory@platform.example.com",
            password=done.output.split()[-1],
            source_ip=None,
            at=datetime.now(UTC),
        ).token
        session = accounts.get_session(token=token, at=datetime.now(UTC))
    assert session is not None
    assert session.is_admin


def test_it_makes_the_demo_once(app: Flask) -> None:
    first = json.loads(run(app, "demo", "--json").output)
    second = json.loads(run(app, "demo", "--json").output)
    assert tuple(first) == demo.KEYS
    assert cards(app) == 1
    fresh = "terminal_pairing_code"
    assert first[fresh] != second[fresh]
    assert first | {fresh: ""} == second | {fresh: ""}
    assert len(first["staff_pin"]) == 6


def test_it_fills_the_demo_up_to_a_size(app: Flask) -> None:
    run(app, "demo", "--size", "3")
    assert cards(app) == 3
    run(app, "demo", "--size", "4")
    assert cards(app) == 4
    done = run(app, "ledger", "verify")
    assert (done.exit_code, done.output[:8]) == (0, "4 cards,")


def test_it_finishes_a_demo_that_was_interrupted(app: Flask, config: Config) -> None:
    first = json.loads(run(app, "demo", "--json").output)
    path = config.data_dir / "demo.json"
    path.write_text(json.dumps(first | {"staff_pin": None, "card_number": None}), encoding="utf-8")
    second = json.loads(run(app, "demo", "--json").output)
    assert second["card_number"] == first["card_number"]
    assert second["staff_pin"] not in (None, first["staff_pin"])


def test_it_names_the_card_whose_ledger_was_changed(app: Flask, owner_engine: sa.Engine) -> None:
    shop = json.loads(run(app, "demo", "--json").output)
    with owner_engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("UPDATE loyalty_transactions SET stamps_delta = stamps_delta + 1 WHERE seq = 4"))
    done = run(app, "ledger", "verify")
    assert done.exit_code == 1
    assert done.output.startswith(f"Card {shop['card_number']}, row 4:")


def test_it_sweeps_twice_without_harm(app: Flask) -> None:
    assert [run(app, "sweep").exit_code for _ in range(2)] == [0, 0]


def test_it_examines_the_installation(app: Flask, config: Config) -> None:
    with app.app_context():
        findings = doctor.examine(config, debug=True)
    said = {finding.words.split(":")[0]: finding.level for finding in findings}
    assert said["Debug mode is on, which shows the inside to strangers"] == doctor.BAD
    assert said["RATE_LIMITS is off"] == doctor.WARN
    assert said["No worker runs, so no mail leaves"] == doctor.BAD
    assert said["PUBLIC_URL is not https"] == doctor.WARN
    good = {finding.check for finding in findings if finding.level == doctor.GOOD}
    assert {"database roles", "migrations", "clocks", "time zones"} <= good


def test_it_says_when_the_application_owns_its_tables(app: Flask, config: Config) -> None:
    def checked(owner_url: str | None) -> str:
        with app.app_context():
            found = doctor.examine(replace(config, database_owner_url=owner_url), debug=False)
        return " ".join(finding.words for finding in found if finding.check == "database roles")

    assert "are the same role" in checked(config.database_url)
    assert "DATABASE_OWNER_URL is not set" in checked(None)


def test_it_says_how_to_go_on_when_a_server_is_away(app: Flask, config: Config) -> None:
    with app.app_context():
        findings = doctor.examine(replace(config, redis_url="redis://127.0.0.1:1/0"), debug=False)
    queue = next(finding for finding in findings if finding.check == "queue")
    assert queue.level == doctor.BAD
    assert "start Redis, or set REDIS_URL" in queue.words


def test_it_fails_where_something_is_wrong(app: Flask) -> None:
    done = run(app, "doctor")
    assert done.exit_code == 1
    assert "FAIL" in done.output


def test_it_makes_lists_and_revokes_keys(app: Flask) -> None:
    assert run(app, "vendor", "create", "cafe", "Café Léo", "ada@cafe.example.com").exit_code == 0
    done = run(app, "api-key", "create", "Till software", "--vendor", "cafe", "--store", "main")
    assert done.exit_code == 0, done.output
    text = done.output.split()[-1]
    listed = run(app, "api-key", "list", "--vendor", "cafe").output
    assert text[:12] in listed
    assert text not in listed
    assert "live" in listed
    assert run(app, "api-key", "revoke", listed.split()[0], "--vendor", "cafe").exit_code == 0
    assert "revoked" in run(app, "api-key", "list", "--vendor", "cafe").output
    assert run(app, "api-key", "list").output == ""
    assert run(app, "api-key", "create", "Operations").exit_code == 0
    assert "platform" in run(app, "api-key", "list").output


@pytest.mark.parametrize(
    "words",
    [
        ("--vendor", "nowhere"),
        ("--vendor", "cafe", "--store", "moon"),
        ("--vendor", "cafe", "--requests", "0"),
        ("--vendor", "cafe", "--scope", "manage", "--store", "main"),
    ],
    ids=["no such shop", "no such store", "never", "a part of the whole"],
)
def test_it_makes_no_key_of_what_is_wrong(app: Flask, words: tuple[str, ...]) -> None:
    assert run(app, "vendor", "create", "cafe", "Café Léo", "ada@cafe.example.com").exit_code == 0
    done = run(app, "api-key", "create", "Till software", *words)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert run(app, "api-key", "list", "--vendor", "cafe").output == ""
