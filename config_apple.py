"""The settings of Apple Wallet: the certificates of passes, and where pushes go."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config_values import ConfigError, is_loopback, readable_file, service_url, text

PUSHES = "https://api.push.apple.com"
# What `flask wallet dev-certs` writes, and for whom; tests hold it against what that command really makes.
DEV_TEAM_ID, DEV_PASS_TYPE_ID = "DEVELOPER1", "pass.example.loyalty"
DEV_FOLDER = "wallet"
_NEEDED = ("APPLE_TEAM_ID", "APPLE_PASS_TYPE_ID", "APPLE_PASS_CERT_FILE", "APPLE_PASS_KEY_FILE", "APPLE_WWDR_FILE")
_PUSH_KEY = ("APNS_KEY_FILE", "APNS_KEY_ID")
_OPTIONAL = ("APNS_URL", *_PUSH_KEY)


@dataclass(frozen=True, kw_only=True)
class AppleConfig:
    """The platform's pass type at Apple.

    Pushes use the pass certificate, or a key where both `apns_key_…` are set; `apns_url` is None where nothing is
    pushed: no phone ever installs a pass of development certificates.
    """

    team_id: str
    pass_type_id: str
    certificate_file: Path
    key_file: Path
    wwdr_file: Path
    apns_url: str | None = PUSHES
    apns_key_file: Path | None = None
    apns_key_id: str | None = None


def read_apple(env: Mapping[str, str], data_dir: Path, public_url: str) -> AppleConfig | None:
    """Read the pass type and its files: all of it, or nothing, or raise ConfigError."""
    values = {name: value for name in (*_NEEDED, *_OPTIONAL) if (value := text(env, name))}
    if not any(name in values for name in (*_NEEDED, *_PUSH_KEY)):
        return _development(values.get("APNS_URL"), data_dir, public_url)
    for name in _NEEDED:
        if name not in values:
            raise ConfigError(f"{name} is not set: {' and '.join(values)} alone cannot make Apple passes.")
    _check_names(values)
    key_file, key_id = (values.get(name) for name in _PUSH_KEY)
    return AppleConfig(
        team_id=values["APPLE_TEAM_ID"],
        pass_type_id=values["APPLE_PASS_TYPE_ID"],
        certificate_file=readable_file("APPLE_PASS_CERT_FILE", values["APPLE_PASS_CERT_FILE"]),
        key_file=readable_file("APPLE_PASS_KEY_FILE", values["APPLE_PASS_KEY_FILE"]),
        wwdr_file=readable_file("APPLE_WWDR_FILE", values["APPLE_WWDR_FILE"]),
        apns_url=service_url("APNS_URL", values.get("APNS_URL", PUSHES)),
        apns_key_file=readable_file("APNS_KEY_FILE", key_file) if key_file else None,
        apns_key_id=key_id,
    )


def _check_names(values: Mapping[str, str]) -> None:
    if not re.fullmatch("[A-Z0-9]{10}", values["APPLE_TEAM_ID"]):
        raise ConfigError("APPLE_TEAM_ID must be the ten letters and digits that Apple's developer page shows.")
    if not re.fullmatch(r"pass\.[A-Za-z0-9.-]{1,150}", values["APPLE_PASS_TYPE_ID"]):
        raise ConfigError("APPLE_PASS_TYPE_ID must look like pass.com.example.loyalty.")
    if ("APNS_KEY_FILE" in values) != ("APNS_KEY_ID" in values):
        raise ConfigError("APNS_KEY_FILE and APNS_KEY_ID belong together: set both or none.")
    if not re.fullmatch("[A-Z0-9]{10}", values.get("APNS_KEY_ID", "A" * 10)):
        raise ConfigError("APNS_KEY_ID must be the ten letters and digits that Apple's developer page shows.")


def _development(apns_url: str | None, data_dir: Path, public_url: str) -> AppleConfig | None:
    """Take the development certificates where they exist and only this machine is served.

    A customer's phone would refuse their passes, so a public site has to name its certificates.
    """
    folder = data_dir / DEV_FOLDER
    found = {name: folder / name for name in ("pass.pem", "pass.key", "wwdr.pem")}
    if not is_loopback(public_url) or not all(path.is_file() for path in found.values()):
        if apns_url:
            raise ConfigError("APNS_URL is set, but there are no Apple passes: set APPLE_TEAM_ID and the others too.")
        return None
    return AppleConfig(
        team_id=DEV_TEAM_ID,
        pass_type_id=DEV_PASS_TYPE_ID,
        certificate_file=found["pass.pem"],
        key_file=found["pass.key"],
        wwdr_file=found["wwdr.pem"],
        apns_url=service_url("APNS_URL", apns_url) if apns_url else None,
    )
