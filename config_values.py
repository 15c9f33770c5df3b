"""How single settings are read and checked: the words of a refusal, files, addresses."""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

# What may also be given as NAME_FILE, the path of a file that holds the value.
SECRETS = ("SECRET_KEY", "PIN_PEPPER", "DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MAIL_URL")


class ConfigError(Exception):
    """A setting is missing or wrong; the text is one line for the person who starts the program."""


def text(env: Mapping[str, str], name: str) -> str:
    """Return a setting without the spaces around it, '' where it is not set."""
    value = env.get(name, "").strip()
    path = env.get(f"{name}_FILE", "").strip() if name in SECRETS else ""
    if value and path:
        raise ConfigError(f"{name} and {name}_FILE are both set: keep one of them.")
    if not path:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}_FILE names {path}, which cannot be read: {error}.") from error


def is_loopback(public_url: str) -> bool:
    """Whether only this machine can reach the address."""
    host = urlsplit(public_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def readable_file(name: str, value: str) -> Path:
    """Return the path of a file that can be read, or refuse it by the name of its setting."""
    path = Path(value).expanduser().resolve()
    try:
        path.open("rb").close()
    except OSError as error:
        raise ConfigError(f"{name} names {path}, which cannot be read: {error.strerror}.") from error
    return path


def service_url(name: str, value: str) -> str:
    """Return the address of a service elsewhere, without a slash at its end."""
    try:
        parts = urlsplit(value)
        usable = parts.hostname and not parts.query and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    # Tokens travel there; in the clear only to a stand-in on this machine.
    if not usable or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(value))):
        raise ConfigError(f"{name} must be an https:// address.")
    return value.rstrip("/")


def webhook_allow(env: Mapping[str, str], public_url: str) -> tuple[str, ...]:
    """Return the private places that webhooks may reach: for trying them out on one's own machine, nowhere else."""
    places = tuple(text(env, "WEBHOOK_ALLOW").lower().split())
    if places and not is_loopback(public_url):
        raise ConfigError("WEBHOOK_ALLOW is for trying things out: it needs a PUBLIC_URL on this machine (localhost).")
    for place in places:
        host, _, port = place.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ConfigError("WEBHOOK_ALLOW must name hosts with their ports, for example localhost:9000.")
    return places
