"""Phones that hold passes of a shop: they fetch them through real HTTP, and are pushed to."""

import io
import json
import re
import secrets
import urllib.request
import zipfile
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from benchmarks.shop import Shop, new_key
from loyalty.database import db
from loyalty.domain.values import CardRef
from loyalty.models.cards import LoyaltyCard
from loyalty.services import adjustments, apple_devices, passes
from tests.apple_passes import certificates

SERVICE = "/api/v1/loyalty/apple/v1"
ANSWERS_WITHIN = 30.0


@dataclass(frozen=True)
class HeldPass:
    """A pass in a phone, and where the phone is pushed to."""

    card_id: UUID
    path: str
    listing: str
    secret: str
    push_token: str

    def fetch(self, port: int) -> int:
        """Do what a push makes a phone do; returns the stamps that it shows afterwards."""
        _get(port, self.listing, "")
        with zipfile.ZipFile(io.BytesIO(_get(port, self.path, self.secret))) as archive:
            shown = json.loads(archive.read("pass.json"))["storeCard"]
        fields = {field["key"]: field["value"] for group in shown.values() for field in group}
        return int(str(fields["stamps"]).partition("/")[0])

    def request(self, port: int, since: str = "") -> bytes:
        """The request for the pass, as it goes over the wire."""
        head = f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: ApplePass {self.secret}\r\n"
        return (head + (f"If-Modified-Since: {since}\r\n" if since else "") + "\r\n").encode()

    def last_modified(self, port: int) -> str:
        """What a phone sends back when it asks next time."""
        asked = urllib.request.Request(f"http://127.0.0.1:{port}{self.path}", headers=_proof(self.secret))
        with urllib.request.urlopen(asked, timeout=ANSWERS_WITHIN) as answer:
            return str(answer.headers["Last-Modified"])


def hold(shop: Shop) -> list[HeldPass]:
    """Put every card of a shop into a phone of its own."""
    made, held = certificates(), []
    query = sa.select(LoyaltyCard.id, LoyaltyCard.public_token).where(LoyaltyCard.vendor_id == shop.vendor_id)
    for card in db.session.execute(query.order_by(LoyaltyCard.id)).all():
        address = passes.find_apple_link(public_token=card.public_token) or ""
        found = re.search(r"/apple/([A-Za-z0-9_-]+)\.pkpass", address)
        serial = found[1] if found else ""
        secret = db.session.scalar(sa.select(LoyaltyCard.apple_auth_token).where(LoyaltyCard.id == card.id)) or ""
        device, push_token = secrets.token_hex(16), secrets.token_hex(32)
        passes.download(serial=serial, token=card.public_token.encode())
        apple_devices.register(
            pass_type=made.pass_type_id, serial=serial, token=secret.encode(), device=device, push_token=push_token
        )
        path = f"{SERVICE}/passes/{made.pass_type_id}/{serial}"
        listing = f"{SERVICE}/devices/{device}/registrations/{made.pass_type_id}"
        held.append(HeldPass(card.id, path, listing, secret, push_token))
    return held


def stamp(shop: Shop, held: HeldPass) -> int:
    """Change the balance of a card; returns the new one."""
    done = adjustments.adjust_stamps(
        actor=shop.owner, card=CardRef(card_id=held.card_id), delta=1, reason="measured", key=new_key(shop.owner)
    )
    return done.balance


def _get(port: int, path: str, secret: str) -> bytes:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=_proof(secret))
    with urllib.request.urlopen(asked, timeout=ANSWERS_WITHIN) as answer:
        return bytes(answer.read())


def _proof(secret: str) -> dict[str, str]:
    return {"Authorization": f"ApplePass {secret}"} if secret else {}
