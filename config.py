"""Configuration: typed, strict, and the only reader of the environment."""

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from config_apple import AppleConfig, read_apple
from config_values import ConfigError as ConfigError
from config_values import is_loopback, readable_file, service_url, text, webhook_allow

ROOT = Path(__file__).resolve().parent

SHORTEST_SECRET = 32


@dataclass(frozen=True, kw_only=True)
class GoogleConfig:
    """The platform's account at Google Wallet; the callback's root keys come from a file or an address."""

    issuer_id: str
    service_account_file: Path
    wallet_url: str = "https://walletobjects.googleapis.com/walletobjects/v1"
    callback_keys_file: Path | None = None
    callback_keys_url: str = "https://pay.google.com/gp/m/issuer/keys"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that can be set from outside, checked."""

    secret_key: str = field(repr=False)
    pin_pepper: bytes = field(repr=False)
    database_url: str = field(repr=False)
    database_owner_url: str | None = field(default=None, repr=False)
    redis_url: str = field(repr=False)
    port: int = 8000
    data_dir: Path = ROOT / "data"
    public_url: str = "http://localhost:8000"
    mail_url: str | None = field(default=None, repr=False)
    mail_from: str = "Loyalty <loyalty@localhost>"
    apple: AppleConfig | None = None
    google: GoogleConfig | None = None
    rate_limits: bool = True
    trusted_proxies: int = 0
    # Places (host:port) that webhooks may reach although they are private.
    webhook_allow: tuple[str, ...] = ()
    embedded: bool = False
    # Moves the ledger's clock. For tests and for the demo's history alone, so no variable sets it.
    clock_offset: timedelta = timedelta(0)

    @property
    def https(self) -> bool:
        """Whether people reach the site by https: cookies are Secure then, and HSTS is sent."""
        return self.public_url.startswith("https://")

    @property
    def loopback(self) -> bool:
        """Whether PUBLIC_URL is an address that only this machine can reach."""
        return is_loopback(self.public_url)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Config":
        """Read and check every setting, or raise a ConfigError that says which one is wrong."""
        env = environment() if environ is None else environ
        data_dir = data_directory(env)
        embedded = is_embedded(env)
        servers = _embedded_servers(data_dir) if embedded else {}
        # The port that `make run` was started with, so that a command beside it makes the same links.
        port = _whole_number(env, "PORT", int(servers.get("port") or 8000), 1, 65535)
        public_url = _public_url(env, port)
        return cls(
            secret_key=_secret(env, "SECRET_KEY", data_dir, embedded=embedded),
            pin_pepper=_secret(env, "PIN_PEPPER", data_dir, embedded=embedded).encode(),
            database_url=servers.get("database_url") or _database_url(env, "DATABASE_URL"),
            database_owner_url=servers.get("database_owner_url") or _optional_database_url(env, "DATABASE_OWNER_URL"),
            redis_url=_redis_url(env, servers.get("redis_url")),
            port=port,
            data_dir=data_dir,
            public_url=public_url,
            mail_url=_mail_url(env),
            mail_from=_mail_from(env),
            apple=read_apple(env, data_dir, public_url),
            google=_google(env),
            rate_limits=_rate_limits(env, public_url),
            trusted_proxies=_whole_number(env, "TRUSTED_PROXIES", 0, 0, 10),
            webhook_allow=webhook_allow(env, public_url),
            embedded=embedded,
        )


def environment() -> dict[str, str]:
    """Return the variables of the process over those of the file .env beside this module."""
    from_file = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value is not None}
    return {**from_file, **os.environ}


def data_directory(env: Mapping[str, str]) -> Path:
    """Return the folder for everything that is kept outside the database."""
    return Path(text(env, "DATA_DIR") or ROOT / "data").expanduser().resolve()


def is_embedded(env: Mapping[str, str]) -> bool:
    """Say whether the servers are our own, because no other database is named."""
    return not text(env, "DATABASE_URL")


def make_secrets(data_dir: Path, env: Mapping[str, str], *, has_data: bool) -> None:
    """Make the secrets that embedded servers need, once: new ones over existing data would lock everybody out."""
    folder = data_dir / "secrets"
    for name in ("SECRET_KEY", "PIN_PEPPER"):
        path = folder / name.lower()
        if text(env, name) or path.exists():
            continue
        if has_data:
            raise ConfigError(f"{path} is missing although {data_dir} holds data: bring it back from your backup.")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48))


def _secret(env: Mapping[str, str], name: str, data_dir: Path, *, embedded: bool) -> str:
    value = text(env, name)
    path = data_dir / "secrets" / name.lower()
    if not value and embedded and path.exists():
        value = path.read_text(encoding="utf-8").strip()
    if not value and embedded:
        raise ConfigError(f"{path} is missing: bring it back from your backup, or set {name}.")
    if not value:
        raise ConfigError(f"{name} is not set: give it at least {SHORTEST_SECRET} random characters.")
    if len(value.encode()) < SHORTEST_SECRET:
        raise ConfigError(f"{name} is too short: it needs at least {SHORTEST_SECRET} random characters.")
    return value


def _embedded_servers(data_dir: Path) -> dict[str, str]:
    path = data_dir / "run" / "embedded.json"
    try:
        servers = json.loads(path.read_text(encoding="utf-8"))
        found = {name: str(servers[name]) for name in ("database_url", "database_owner_url", "redis_url")}
        return found | ({"port": port} if (port := str(servers.get("port", ""))).isdigit() else {})
    except FileNotFoundError:
        raise ConfigError("There is no database: set DATABASE_URL and REDIS_URL, or start `make run` first.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): start `make run` again.") from error


def _database_url(env: Mapping[str, str], name: str) -> str:
    value = text(env, name)
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in ("postgres", "postgresql", "postgresql+psycopg") or not rest:
        raise ConfigError(f"{name} must look like postgresql+psycopg://user:password@host/database.")
    return f"postgresql+psycopg://{rest}"


def _optional_database_url(env: Mapping[str, str], name: str) -> str | None:
    return _database_url(env, name) if text(env, name) else None


def _redis_url(env: Mapping[str, str], embedded: str | None) -> str:
    value = text(env, "REDIS_URL") or embedded
    if not value:
        raise ConfigError("REDIS_URL is not set: with DATABASE_URL it is needed, for example redis://localhost:6379/0.")
    if urlsplit(value).scheme not in ("redis", "rediss", "unix"):
        raise ConfigError("REDIS_URL must start with redis://, rediss:// or unix://.")
    return value


def _public_url(env: Mapping[str, str], port: int) -> str:
    value = (text(env, "PUBLIC_URL") or f"http://localhost:{port}").rstrip("/")
    parts = urlsplit(value)
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or parts.path or parts.query or parts.fragment or parts.username:
        raise ConfigError("PUBLIC_URL must be http:// or https:// with a host and nothing after it.")
    return value


def _rate_limits(env: Mapping[str, str], public_url: str) -> bool:
    value = text(env, "RATE_LIMITS") or "on"
    if value not in ("on", "off"):
        raise ConfigError("RATE_LIMITS must be on or off.")
    if value == "off" and not is_loopback(public_url):
        raise ConfigError("RATE_LIMITS=off is for load tests: it needs a PUBLIC_URL on this machine (localhost).")
    return value == "on"


def _mail_url(env: Mapping[str, str]) -> str | None:
    value = text(env, "MAIL_URL")
    if not value:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("smtp", "smtps") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError("MAIL_URL must look like smtp://user:password@host:587 or smtps://user:password@host:465.")
    return value


def _mail_from(env: Mapping[str, str]) -> str:
    value = text(env, "MAIL_FROM")
    if not value and text(env, "MAIL_URL"):
        raise ConfigError("MAIL_FROM is not set: with MAIL_URL it is needed, for example Loyalty <cards@example.com>.")
    value = value or "Loyalty <loyalty@localhost>"
    if "@" not in parseaddr(value)[1].strip("@") or "\n" in value:
        raise ConfigError("MAIL_FROM must be an address, for example Loyalty <cards@example.com>.")
    return value


def _google(env: Mapping[str, str]) -> GoogleConfig | None:
    """Read the account at Google Wallet: all of it or nothing."""
    names = ("GOOGLE_ISSUER_ID", "GOOGLE_SERVICE_ACCOUNT_FILE")
    extras = ("GOOGLE_WALLET_URL", "GOOGLE_CALLBACK_KEYS_FILE", "GOOGLE_CALLBACK_KEYS_URL")
    values = {name: value for name in names + extras if (value := text(env, name))}
    if not values:
        return None
    for name in names:
        if name not in values:
            raise ConfigError(f"{name} is not set: {' and '.join(values)} alone cannot reach Google Wallet.")
    if extras[1] in values and extras[2] in values:
        raise ConfigError(f"{extras[1]} and {extras[2]} are both set: keep one of them.")
    if not re.fullmatch("[0-9]{1,20}", values[names[0]]):
        raise ConfigError("GOOGLE_ISSUER_ID must be a number, as Google's console shows it.")
    keys_file = readable_file(extras[1], values[extras[1]]) if extras[1] in values else None
    return GoogleConfig(
        issuer_id=values[names[0]],
        service_account_file=readable_file(names[1], values[names[1]]),
        wallet_url=service_url(extras[0], values.get(extras[0], GoogleConfig.wallet_url)),
        callback_keys_file=keys_file,
        callback_keys_url=service_url(extras[2], values.get(extras[2], GoogleConfig.callback_keys_url)),
    )


def _whole_number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    value = text(env, name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit()) or not least <= int(value) <= most:
        raise ConfigError(f"{name} must be a whole number from {least} to {most}.")
    return int(value)
