"""Apple passes for tests: certificates made once, contents by keyword, and a reader as strict as a phone."""

import hashlib
import io
import json
import re
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from loyalty.domain.colours import fg
from loyalty.domain.values import LoyaltyType, PassContent
from loyalty.wallets.apple import ApplePasses, ApplePassFacts
from loyalty.wallets.dev_certificates import DevCertificates, make_dev_certificates

UPDATES = "https://cards.example/apple"
TOKEN = "a-token-of-forty-three-characters-like-real"
PICTURES = [f"{name}{scale}.png" for name in ("icon", "logo", "strip") for scale in ("", "@2x", "@3x")]


@dataclass(frozen=True)
class OpenedPass:
    """A pass taken apart: its files, and what pass.json says."""

    files: dict[str, bytes]
    says: dict[str, Any]  # JSON

    @property
    def fields(self) -> dict[str, dict[str, Any]]:
        """All fields of the card by their keys."""
        groups = self.says["storeCard"].values()
        return {field["key"]: field for group in groups for field in group}

    def strings(self, locale: str) -> dict[str, str]:
        """What the phone finds in a file of strings."""
        text = self.files[f"{locale}.lproj/pass.strings"].decode()
        line = re.compile(r'"((?:[^"\\\n]|\\.)*)" = "((?:[^"\\\n]|\\.)*)";\n')
        assert "".join(match.group(0) for match in line.finditer(text)) == text
        return {_plain(match.group(1)): _plain(match.group(2)) for match in line.finditer(text)}


@cache
def certificates() -> DevCertificates:
    """Certificates of this process."""
    return make_dev_certificates(Path(tempfile.mkdtemp(prefix="loyalty-passes-")), datetime.now(UTC))


@cache
def passes() -> ApplePasses:
    """A maker of passes with these certificates."""
    made = certificates()
    return ApplePasses(
        certificate_file=made.certificate,
        key_file=made.key,
        wwdr_file=made.wwdr,
        pass_type_id=made.pass_type_id,
        team_id=made.team_id,
        web_service_url=UPDATES,
        at=datetime.now(UTC),
    )


def make_content(**changes: Any) -> PassContent:  # any field of PassContent
    """Describe Cleo's card at Ada's bakery."""
    color = changes.get("color", "#1F4FD1")
    content = {
        "vendor_name": "Ada’s Bakery",
        "card_name": "Bread card",
        "color": color,
        "foreground": fg(color),
        "loyalty_type": LoyaltyType.STAMPS,
        "stamp_count": 4,
        "stamps_target": 10,
        "stamps_reward": "One loaf",
        "points_balance": 120,
        "points_goal": 500,
        "points_reward": "A cake",
        "card_number": "1234567890",
        "scan_code": "BCDEFGHJKNPRSTVX",
    }
    return PassContent(**(content | changes))


def make_facts(**changes: Any) -> ApplePassFacts:  # any field of ApplePassFacts
    """Say the rest that a pass needs."""
    return ApplePassFacts(**({"serial": "cleo-1", "auth_token": TOKEN} | changes))


def open_pass(pkpass: bytes) -> OpenedPass:
    """Take a pass apart, and check what a phone checks before the signature."""
    with zipfile.ZipFile(io.BytesIO(pkpass)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        files = {name: archive.read(name) for name in names}
    assert len(names) == len(files)
    manifest = json.loads(files["manifest.json"])
    assert manifest == {
        name: hashlib.sha1(data).hexdigest()
        for name, data in files.items()
        if name not in ("manifest.json", "signature")
    }
    return OpenedPass(files, json.loads(files["pass.json"]))


def openssl_verifies(pass_: OpenedPass) -> bool:
    """Ask openssl for the chain and the digest; -binary because phones hash the very bytes of the manifest."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("manifest.json", "signature"):
            (Path(folder) / name).write_bytes(pass_.files[name])
        command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", "signature", "-content", "manifest.json"]
        command += ["-binary", "-purpose", "any", "-CAfile", str(certificates().root), "-out", "/dev/null"]
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def _plain(escaped: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "r": "\r"}.get(match.group(1), match.group(1)), escaped)
