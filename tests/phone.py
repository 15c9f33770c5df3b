"""A phone with Apple Wallet: it adds passes, registers them, and fetches what changed as phones do."""

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from werkzeug.test import Client, TestResponse

from tests.apple_passes import OpenedPass, open_pass, openssl_verifies

SERVICE = "/api/v1/loyalty/apple/v1"


@dataclass
class HeldPass:
    """A pass in the phone, and what the server said of its age."""

    opened: OpenedPass
    last_modified: str | None = None

    @property
    def serial(self) -> str:
        return str(self.opened.says["serialNumber"])

    @property
    def pass_type(self) -> str:
        return str(self.opened.says["passTypeIdentifier"])

    @property
    def stamps(self) -> str:
        """The balance, as its holder reads it."""
        return str(self.opened.fields["stamps"]["value"])


@dataclass
class Phone:
    """One phone; `client` is its network, `tag` what the last list ended with."""

    client: Client
    device: str = field(default_factory=lambda: secrets.token_hex(16))
    push_token: str = field(default_factory=lambda: secrets.token_hex(32))
    tag: str | None = None
    passes: dict[str, HeldPass] = field(default_factory=dict)

    def add(self, address: str) -> HeldPass:
        """Download a pass from the card's page and put it into the wallet."""
        parts = urlsplit(address)
        answer = self.client.get(f"{parts.path}?{parts.query}")
        assert answer.status_code == 200, answer.status
        assert answer.content_type == "application/vnd.apple.pkpass"
        held = HeldPass(open_pass(answer.data))
        assert openssl_verifies(held.opened)
        self.passes[held.serial] = held
        return held

    def register(self, held: HeldPass) -> int:
        """Ask to be told of changes; returns the status."""
        path = f"{SERVICE}/devices/{self.device}/registrations/{held.pass_type}/{held.serial}"
        return self.client.post(path, json={"pushToken": self.push_token}, headers=self.proof(held)).status_code

    def throw_away(self, held: HeldPass) -> int:
        """Take a pass out of the wallet; returns the status."""
        path = f"{SERVICE}/devices/{self.device}/registrations/{held.pass_type}/{held.serial}"
        del self.passes[held.serial]
        return self.client.delete(path, headers=self.proof(held)).status_code

    def list_changed(self, pass_type: str) -> list[str]:
        """Ask which passes changed since the last time."""
        path = f"{SERVICE}/devices/{self.device}/registrations/{pass_type}"
        answer = self.client.get(path, query_string={"passesUpdatedSince": self.tag} if self.tag else None)
        if answer.status_code == 204:
            assert not answer.data
            return []
        assert answer.status_code == 200, answer.status
        said = answer.json or {}
        assert isinstance(said["lastUpdated"], str)
        assert self.tag is None or int(said["lastUpdated"]) > int(self.tag)
        self.tag = said["lastUpdated"]
        return list(said["serialNumbers"])

    def fetch(self, serial: str) -> TestResponse:
        """Fetch one pass, unless it is the one in the wallet."""
        held = self.passes[serial]
        headers = self.proof(held) | ({"If-Modified-Since": held.last_modified} if held.last_modified else {})
        answer = self.client.get(f"{SERVICE}/passes/{held.pass_type}/{serial}", headers=headers)
        if answer.status_code == 200:
            held.opened = open_pass(answer.data)
            held.last_modified = answer.headers["Last-Modified"]
        else:
            assert (answer.status_code, answer.data) == (304, b"")
        return answer

    def wake(self) -> list[str]:
        """Do what a push makes a phone do: list, then fetch what the list names; returns the list."""
        types = {held.pass_type for held in self.passes.values()}
        changed = [serial for pass_type in types for serial in self.list_changed(pass_type)]
        for serial in changed:
            if serial in self.passes:
                self.fetch(serial)
        return changed

    def proof(self, held: HeldPass) -> dict[str, str]:
        """The header with the secret that stands in the pass."""
        return {"Authorization": f"ApplePass {held.opened.says['authenticationToken']}"}
