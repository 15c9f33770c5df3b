"""The settings of Apple Wallet: all or nothing, and the one line that says what is missing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import Config, ConfigError
from config_apple import DEV_FOLDER, DEV_PASS_TYPE_ID, DEV_TEAM_ID, PUSHES
from loyalty.wallets.dev_certificates import make_dev_certificates
from tests.test_config import OUTSIDE


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    """Everything that Apple Wallet needs, with files that can be read."""
    files = {"APPLE_PASS_CERT_FILE": "pass.pem", "APPLE_PASS_KEY_FILE": "pass.key", "APPLE_WWDR_FILE": "wwdr.pem"}
    for name in files.values():
        (tmp_path / name).touch()
    paths = {setting: str(tmp_path / name) for setting, name in files.items()}
    names = {"APPLE_TEAM_ID": "ABCDE12345", "APPLE_PASS_TYPE_ID": "pass.lu.example.cards"}
    return OUTSIDE | {"DATA_DIR": str(tmp_path)} | names | paths


def test_it_reads_the_pass_type_and_its_files(given: dict[str, str], tmp_path: Path) -> None:
    apple = Config.from_env(given).apple
    assert apple
    assert (apple.team_id, apple.pass_type_id) == ("ABCDE12345", "pass.lu.example.cards")
    assert apple.certificate_file == (tmp_path / "pass.pem").resolve()
    assert (apple.apns_url, apple.apns_key_file, apple.apns_key_id) == (PUSHES, None, None)
    key = {
        "APNS_KEY_FILE": given["APPLE_PASS_KEY_FILE"],
        "APNS_KEY_ID": "KEY1234567",
        "APNS_URL": "https://push.example/",
    }
    apple = Config.from_env(given | key).apple
    assert apple
    assert (apple.apns_url, apple.apns_key_id) == ("https://push.example", "KEY1234567")


def test_it_has_no_apple_wallet_without_settings(tmp_path: Path) -> None:
    assert Config.from_env(OUTSIDE | {"DATA_DIR": str(tmp_path)}).apple is None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"APPLE_TEAM_ID": ""}, "APPLE_TEAM_ID is not set"),
        ({"APPLE_PASS_TYPE_ID": ""}, "APPLE_PASS_TYPE_ID is not set"),
        ({"APPLE_PASS_CERT_FILE": ""}, "APPLE_PASS_CERT_FILE is not set"),
        ({"APPLE_PASS_KEY_FILE": ""}, "APPLE_PASS_KEY_FILE is not set"),
        ({"APPLE_WWDR_FILE": ""}, "APPLE_WWDR_FILE is not set"),
        ({"APPLE_WWDR_FILE": "/nowhere/wwdr.pem"}, "APPLE_WWDR_FILE names /nowhere/wwdr.pem, which cannot be read"),
        ({"APPLE_TEAM_ID": "Ada’s team"}, "APPLE_TEAM_ID must be"),
        ({"APPLE_PASS_TYPE_ID": "com.example"}, "APPLE_PASS_TYPE_ID must look like"),
        ({"APNS_KEY_ID": "KEY1234567"}, "APNS_KEY_FILE and APNS_KEY_ID belong together"),
        ({"APNS_KEY_FILE": "/nowhere/key.p8"}, "APNS_KEY_FILE and APNS_KEY_ID belong together"),
        ({"APNS_KEY_FILE": "/nowhere/key.p8", "APNS_KEY_ID": "short"}, "APNS_KEY_ID must be"),
        ({"APNS_KEY_FILE": "/nowhere/key.p8", "APNS_KEY_ID": "KEY1234567"}, "APNS_KEY_FILE names /nowhere/key.p8"),
        ({"APNS_URL": "http://push.example"}, "APNS_URL must be an https:// address"),
    ],
)
def test_it_refuses_half_of_it_with_one_line(given: dict[str, str], wrong: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Config.from_env(given | wrong)
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


def test_it_refuses_pushes_without_passes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are no Apple passes"):
        Config.from_env(OUTSIDE | {"DATA_DIR": str(tmp_path), "APNS_URL": "https://push.example"})


def test_it_takes_development_certificates_on_this_machine_alone(tmp_path: Path) -> None:
    made = make_dev_certificates(tmp_path / DEV_FOLDER, datetime.now(UTC))
    env = OUTSIDE | {"DATA_DIR": str(tmp_path)}
    apple = Config.from_env(env).apple
    assert apple
    assert (apple.certificate_file, apple.key_file, apple.wwdr_file) == (made.certificate, made.key, made.wwdr)
    assert (apple.pass_type_id, apple.team_id) == (made.pass_type_id, made.team_id)
    assert (apple.pass_type_id, apple.team_id) == (DEV_PASS_TYPE_ID, DEV_TEAM_ID)
    assert apple.apns_url is None
    assert Config.from_env(env | {"PUBLIC_URL": "https://cards.example.com"}).apple is None
    pushing = Config.from_env(env | {"APNS_URL": "https://127.0.0.1:8443"}).apple
    assert pushing
    assert pushing.apns_url == "https://127.0.0.1:8443"
