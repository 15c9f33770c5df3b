"""Google's side of callbacks: root and intermediate keys of our own, and messages signed as Google signs them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ISSUER = "3388000000012345678"
PROTOCOL = "ECv2SigningOnly"

# Throw-away keys of the tests, the same in every run.
ROOT = ec.derive_private_key(0x526F6F74, ec.SECP256R1())
OTHER_ROOT = ec.derive_private_key(0x4F74686572, ec.SECP256R1())
INTERMEDIATE = ec.derive_private_key(0x4D6964646C65, ec.SECP256R1())


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@cache
def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def signed_text(*parts: str) -> bytes:
    """What is signed, written down a second time so that the product is not checked against itself."""
    signed = bytearray()
    for part in parts:
        encoded = part.encode("utf-8")
        signed += bytes([len(encoded) >> shift & 255 for shift in (0, 8, 16, 24)]) + encoded
    return bytes(signed)


@cache
def sign(key: ec.EllipticCurvePrivateKey, *parts: str) -> str:
    return base64.b64encode(key.sign(signed_text(*parts), ec.ECDSA(SHA256()))).decode()


def key_set(
    *roots: ec.EllipticCurvePrivateKey,
    expires_at: datetime = NOW + timedelta(days=3650),
    protocol: str = PROTOCOL,
) -> bytes:
    """A key set as Google publishes it."""
    keys = [
        {"keyValue": public_text(root), "protocolVersion": protocol, "keyExpiration": str(millis(expires_at))}
        for root in roots or (ROOT,)
    ]
    return json.dumps({"keys": keys}).encode()


def message(
    *,
    object_id: str = f"{ISSUER}.card-1",
    class_id: str = f"{ISSUER}.program-1",
    event: str = "save",
    expires_at: datetime = NOW + timedelta(hours=1),
    nonce: str = "b3b7c9c0-6a77-4a3e-9a35-0e9f6d4b0001",
    **more: object,
) -> str:
    told = {"classId": class_id, "objectId": object_id, "eventType": event, "expTimeMillis": millis(expires_at)}
    return json.dumps(told | {"count": 1, "nonce": nonce} | more, separators=(",", ":"), ensure_ascii=False)


def signed_key(*, expires_at: datetime = NOW + timedelta(days=7), **more: object) -> str:
    described = {"keyValue": public_text(INTERMEDIATE), "keyExpiration": str(millis(expires_at))}
    # Google writes = as an escape inside the text that it signs.
    return json.dumps(described | more, separators=(",", ":")).replace("=", "\\u003d")


def envelope(
    *,
    signed_message: str | None = None,
    key: str | None = None,
    sender: str = "GooglePayPasses",
    recipient: str = ISSUER,
    root: ec.EllipticCurvePrivateKey = ROOT,
    intermediate: ec.EllipticCurvePrivateKey = INTERMEDIATE,
) -> dict[str, object]:
    """A callback, genuine unless something is asked for that is not."""
    signed_message = message() if signed_message is None else signed_message
    key = signed_key() if key is None else key
    return {
        "signature": sign(intermediate, sender, recipient, PROTOCOL, signed_message),
        "intermediateSigningKey": {"signedKey": key, "signatures": [sign(root, sender, PROTOCOL, key)]},
        "protocolVersion": PROTOCOL,
        "signedMessage": signed_message,
    }


def callback(**details: Any) -> bytes:  # Any: passed on to `envelope` as they are.
    """A callback as it comes in."""
    return json.dumps(envelope(**details), ensure_ascii=False).encode()
