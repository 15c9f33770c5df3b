"""Where all parts meet: what is configured wrongly is switched off with one line, and the till goes on."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config import Config, GoogleConfig
from config_apple import AppleConfig
from loyalty import app as wiring
from loyalty.services import google_passes, passes
from loyalty.wallets.dev_certificates import make_dev_certificates
from tests.google_fake import google_server
from tests.google_signer import ISSUER

HTTPS = "https://cards.example"


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Path]:
    with google_server() as google:
        yield google.account_file(tmp_path)


@pytest.fixture(autouse=True)
def disconnected(config: Config) -> Iterator[None]:
    """Leave Google Wallet as the other tests expect it: off."""
    yield
    wiring._connect_google(config)


def connect(config: Config, account: Path, public_url: str = HTTPS) -> None:
    google = GoogleConfig(issuer_id=ISSUER, service_account_file=account)
    wiring._connect_google(replace(config, google=google, public_url=public_url))


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_it_connects_to_google_wallet_without_asking_it(
    config: Config, account: Path, caplog: pytest.LogCaptureFixture
) -> None:
    connect(config, account)
    assert google_passes.is_on()
    assert (google_passes.reason_off(), warnings(caplog)) == ("", [])


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"type": "service_account"}'])
def test_it_goes_on_without_google_where_the_account_is_broken(
    config: Config, account: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    account.write_text(content)
    connect(config, account)
    assert not google_passes.is_on()
    (line,) = warnings(caplog)
    assert line.startswith("Google Wallet is off: ")
    assert str(account) in line
    assert "\n" not in line
    assert google_passes.reason_off() == line


def test_it_says_that_google_needs_https(config: Config, account: Path, caplog: pytest.LogCaptureFixture) -> None:
    connect(config, account, "http://localhost:8000")
    assert not google_passes.is_on()
    assert warnings(caplog) == ["Google Wallet is off: Google Wallet needs a PUBLIC_URL with https."]


def test_it_is_silent_where_google_is_not_wanted(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    wiring._connect_google(config)
    assert not google_passes.is_on()
    assert warnings(caplog) == []


def apple_config(tmp_path: Path, **changes: Any) -> AppleConfig:  # any field of AppleConfig
    made = make_dev_certificates(tmp_path / "apple", changes.pop("at", datetime.now(UTC)))
    settings: dict[str, Any] = {
        "team_id": made.team_id,
        "pass_type_id": made.pass_type_id,
        "certificate_file": made.certificate,
        "key_file": made.key,
        "wwdr_file": made.wwdr,
    }
    return AppleConfig(**(settings | changes))


def broken_key(folder: Path) -> Path:
    path = folder / "broken.pem"
    path.write_text("no key", encoding="ascii")
    return path


@pytest.mark.parametrize("kind", ["ended", "other type", "broken key", "broken push key"])
def test_it_switches_apple_passes_off_where_the_certificates_cannot_be_used(
    config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    changes: dict[str, dict[str, Any]] = {
        "ended": {"at": datetime.now(UTC) - timedelta(days=4000)},
        "other type": {"pass_type_id": "pass.of.mallory"},
        "broken key": {"key_file": broken_key(tmp_path)},
        "broken push key": {"apns_key_file": broken_key(tmp_path), "apns_key_id": "ABCDE12345"},
    }
    caplog.set_level(logging.WARNING)
    wiring._connect_apple(replace(config, apple=apple_config(tmp_path, **changes[kind])))
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert said[0].startswith("Apple passes are off: ")
    assert passes.find_pass_type() is None
    assert passes.reason_off() == said[0]
    wiring._connect_apple(config)
    assert passes.reason_off() == ""


def test_it_makes_passes_and_pushes_with_good_certificates(config: Config, tmp_path: Path) -> None:
    wiring._connect_apple(replace(config, apple=apple_config(tmp_path)))
    assert passes.reason_off() == ""
    assert passes.find_pass_type() == "pass.example.loyalty"
    ends = passes.find_certificate_ends()
    assert ends is not None
    assert min(ends.leaf, ends.intermediate) > datetime.now(UTC) + timedelta(days=60)
    wiring._connect_apple(config)
    assert passes.find_pass_type() is None
