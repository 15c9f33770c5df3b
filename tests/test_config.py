"""The configuration: what it accepts, and the one line it says when it refuses."""

import json
from pathlib import Path

import pytest

from config import Config, ConfigError, make_secrets

LONG = "a-secret-of-at-least-thirty-two-characters"
OUTSIDE = {
    "SECRET_KEY": LONG,
    "PIN_PEPPER": LONG[::-1],
    "DATABASE_URL": "postgresql+psycopg://loyalty_app@db/loyalty",
    "REDIS_URL": "redis://queue/0",
}


def test_it_reads_outside_servers_and_defaults() -> None:
    config = Config.from_env(OUTSIDE)
    assert (config.database_url, config.redis_url) == (OUTSIDE["DATABASE_URL"], OUTSIDE["REDIS_URL"])
    assert config.pin_pepper == OUTSIDE["PIN_PEPPER"].encode()
    assert (config.port, config.public_url, config.trusted_proxies) == (8000, "http://localhost:8000", 0)
    assert config.database_owner_url is None
    assert config.rate_limits
    assert not config.https
    assert not config.embedded


def test_it_accepts_a_plain_postgresql_address() -> None:
    config = Config.from_env(OUTSIDE | {"DATABASE_URL": "postgres://a@b/c"})
    assert config.database_url == "postgresql+psycopg://a@b/c"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"PIN_PEPPER": "short"}, "PIN_PEPPER is too short"),
        ({"DATABASE_URL": "sqlite:///x.db"}, "DATABASE_URL must look like"),
        ({"DATABASE_OWNER_URL": "mysql://x"}, "DATABASE_OWNER_URL must look like"),
        ({"REDIS_URL": ""}, "REDIS_URL is not set"),
        ({"REDIS_URL": "http://x"}, "REDIS_URL must start with"),
        ({"PORT": "eighty"}, "PORT must be a whole number from 1 to 65535"),
        ({"PORT": "70000"}, "PORT must be a whole number from 1 to 65535"),
        ({"PORT": "\u0663"}, "PORT must be a whole number"),
        ({"PUBLIC_URL": "cards.example.com"}, "PUBLIC_URL must be"),
        ({"PUBLIC_URL": "https://cards.example.com/app"}, "PUBLIC_URL must be"),
        ({"PUBLIC_URL": "https://cards.example.com:x"}, "PUBLIC_URL must be"),
        ({"MAIL_URL": "mail.example.com"}, "MAIL_URL must look like"),
        ({"MAIL_URL": "smtp://mail.example.com"}, "MAIL_FROM is not set"),
        ({"MAIL_FROM": "nobody"}, "MAIL_FROM must be an address"),
        ({"RATE_LIMITS": "maybe"}, "RATE_LIMITS must be on or off"),
        ({"RATE_LIMITS": "off", "PUBLIC_URL": "https://cards.example.com"}, "RATE_LIMITS=off is for load tests"),
        ({"WEBHOOK_ALLOW": "localhost"}, "WEBHOOK_ALLOW must name hosts with their ports"),
        ({"WEBHOOK_ALLOW": "localhost:0"}, "WEBHOOK_ALLOW must name hosts with their ports"),
        ({"WEBHOOK_ALLOW": "x:1", "PUBLIC_URL": "https://cards.example.com"}, "WEBHOOK_ALLOW is for trying things out"),
        ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES must be a whole number from 0 to 10"),
        ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY and SECRET_KEY_FILE are both set"),
        ({"SECRET_KEY": "", "SECRET_KEY_FILE": "/nowhere/key"}, "SECRET_KEY_FILE names /nowhere/key"),
    ],
)
def test_it_refuses_a_bad_value_with_one_line(wrong: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Config.from_env(OUTSIDE | wrong)
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


def test_it_opens_single_private_places_to_webhooks() -> None:
    config = Config.from_env(OUTSIDE | {"WEBHOOK_ALLOW": "localhost:9000 Hooks.Test:8443"})
    assert config.webhook_allow == ("localhost:9000", "hooks.test:8443")
    assert Config.from_env(OUTSIDE).webhook_allow == ()


def test_it_reads_a_secret_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{LONG}\n", encoding="utf-8")
    config = Config.from_env(OUTSIDE | {"SECRET_KEY": "", "SECRET_KEY_FILE": str(path)})
    assert config.secret_key == LONG


def test_it_reads_the_address_of_the_database_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("postgresql://a@b/c", encoding="utf-8")
    config = Config.from_env(OUTSIDE | {"DATABASE_URL": "", "DATABASE_URL_FILE": str(path)})
    assert (config.embedded, config.database_url) == (False, "postgresql+psycopg://a@b/c")


def test_it_keeps_secrets_out_of_its_own_text() -> None:
    assert LONG not in repr(Config.from_env(OUTSIDE))


def test_it_turns_limits_off_on_this_machine_only() -> None:
    assert not Config.from_env(OUTSIDE | {"RATE_LIMITS": "off", "PUBLIC_URL": "http://127.0.0.1:8000"}).rate_limits


def test_it_finds_the_embedded_servers(tmp_path: Path) -> None:
    servers = {"database_url": "postgresql+psycopg://a@/l?host=/s", "database_owner_url": "o", "redis_url": "unix:///s"}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "embedded.json").write_text(json.dumps(servers), encoding="utf-8")
    env = {"DATA_DIR": str(tmp_path)}
    make_secrets(tmp_path, env, has_data=False)
    config = Config.from_env(env)
    assert config.embedded
    assert config.database_url == servers["database_url"]
    assert config.database_owner_url == "o"
    assert len(config.pin_pepper) >= 32
    assert config.secret_key.encode() != config.pin_pepper


def test_it_says_what_to_do_without_servers(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="set DATABASE_URL and REDIS_URL, or start `make run` first"):
        Config.from_env({"DATA_DIR": str(tmp_path)})


def test_it_makes_secrets_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    make_secrets(tmp_path, {}, has_data=False)
    path = tmp_path / "secrets" / "pin_pepper"
    first = path.read_text(encoding="utf-8")
    make_secrets(tmp_path, {}, has_data=True)
    assert path.read_text(encoding="utf-8") == first
    assert path.stat().st_mode & 0o077 == 0


def test_it_never_makes_a_new_secret_over_existing_data(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="bring it back from your backup"):
        make_secrets(tmp_path, {}, has_data=True)
    assert not (tmp_path / "secrets").exists()


def _google(tmp_path: Path, **settings: str) -> dict[str, str]:
    path = tmp_path / "account.json"
    path.write_text("{}", encoding="utf-8")
    return OUTSIDE | {"GOOGLE_ISSUER_ID": "3388", "GOOGLE_SERVICE_ACCOUNT_FILE": str(path)} | settings


def test_it_knows_no_google_wallet_unless_told() -> None:
    assert Config.from_env(OUTSIDE).google is None


def test_it_reads_the_account_at_google_wallet(tmp_path: Path) -> None:
    google = Config.from_env(_google(tmp_path)).google
    assert google is not None
    assert (google.issuer_id, google.service_account_file) == ("3388", tmp_path / "account.json")
    assert google.wallet_url == "https://walletobjects.googleapis.com/walletobjects/v1"
    assert google.callback_keys_url == "https://pay.google.com/gp/m/issuer/keys"
    assert google.callback_keys_file is None


def test_it_takes_a_stand_in_for_google_on_this_machine(tmp_path: Path) -> None:
    settings = {"GOOGLE_WALLET_URL": "http://127.0.0.1:9/w/", "GOOGLE_CALLBACK_KEYS_FILE": str(tmp_path / "keys.json")}
    (tmp_path / "keys.json").write_text("{}", encoding="utf-8")
    google = Config.from_env(_google(tmp_path, **settings)).google
    assert google is not None
    assert google.wallet_url == "http://127.0.0.1:9/w"
    assert google.callback_keys_file == tmp_path / "keys.json"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"GOOGLE_ISSUER_ID": ""}, "GOOGLE_ISSUER_ID is not set: GOOGLE_SERVICE_ACCOUNT_FILE alone"),
        ({"GOOGLE_SERVICE_ACCOUNT_FILE": ""}, "GOOGLE_SERVICE_ACCOUNT_FILE is not set: GOOGLE_ISSUER_ID alone"),
        ({"GOOGLE_ISSUER_ID": "BCR2DN4T"}, "GOOGLE_ISSUER_ID must be a number"),
        ({"GOOGLE_SERVICE_ACCOUNT_FILE": "/nowhere/a"}, "GOOGLE_SERVICE_ACCOUNT_FILE names /nowhere/a"),
        ({"GOOGLE_CALLBACK_KEYS_FILE": "/nowhere/k"}, "GOOGLE_CALLBACK_KEYS_FILE names /nowhere/k"),
        ({"GOOGLE_WALLET_URL": "http://wallet.example"}, "GOOGLE_WALLET_URL must be an https:// address"),
        ({"GOOGLE_WALLET_URL": "https://[x"}, "GOOGLE_WALLET_URL must be an https:// address"),
        ({"GOOGLE_CALLBACK_KEYS_URL": "keys.example"}, "GOOGLE_CALLBACK_KEYS_URL must be an https:// address"),
        (
            {"GOOGLE_CALLBACK_KEYS_FILE": "/k", "GOOGLE_CALLBACK_KEYS_URL": "https://k.example"},
            "GOOGLE_CALLBACK_KEYS_FILE and GOOGLE_CALLBACK_KEYS_URL are both set",
        ),
    ],
)
def test_it_refuses_half_an_account_at_google_with_one_line(
    wrong: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as refusal:
        Config.from_env(_google(tmp_path, **wrong))
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)
