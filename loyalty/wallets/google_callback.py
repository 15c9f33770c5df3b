"""Callbacks of Google Wallet: who saved or removed a card, believed only after the whole chain is verified.

A root key signs an intermediate key, which signs the message for one issuer (ECv2SigningOnly). What is signed is text:
it is verified as it stood in the envelope and never written anew.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from loyalty.wallets.google_facts import is_id
from loyalty.wallets.google_keys import PROTOCOL, RootKey, RootKeys, read_public_key, read_time

SENDER = "GooglePayPasses"

# A genuine callback has about 1,200 bytes.
LONGEST_BODY = 16 * 1024
_ENVELOPE = {"protocolVersion", "signature", "intermediateSigningKey", "signedMessage"}
_SIGNING_KEY = {"signedKey", "signatures"}
_MOST_SIGNATURES = 8
_LONGEST_SIGNATURE = 200
_LONGEST_NONCE = 128


class CallbackEvent(StrEnum):
    """What a customer did with the card; the values are Google's words."""

    SAVED = "save"
    REMOVED = "del"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleCallback:
    """A message that Google sent to us. It may come twice: `nonce` tells; it counts until `expires_at`."""

    class_id: str
    object_id: str
    event: CallbackEvent
    nonce: str
    expires_at: datetime
    count: int | None


class CallbackRefused(Exception):
    """A callback that is not believed; `reason` is one stable word for logs and counters."""

    status: ClassVar[int] = 400

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class CallbackMalformed(CallbackRefused):
    """This is no callback; `reason` is envelope, intermediate-key, message or ids."""


class CallbackUntrusted(CallbackRefused):
    """The chain does not hold; `reason` is intermediate-signature, intermediate-expired, message-signature or
    message-expired."""

    status = 401


@dataclass(frozen=True, slots=True)
class _Envelope:
    signature: bytes
    signed_key: str
    key_signatures: tuple[bytes, ...]
    signed_message: str


def verify(*, body: bytes, roots: RootKeys, issuer_id: str, at: datetime) -> GoogleCallback:
    """Return what Google told this issuer. Raises CallbackRefused, and KeysUnavailable where nobody can tell now."""
    envelope = _open(body)
    try:
        return _verify(envelope, roots.current(at), issuer_id, at)
    except CallbackUntrusted as refusal:
        if refusal.reason != "intermediate-signature":
            raise
        fresh = roots.after_unknown_signer(at)
        if not fresh:
            raise
        return _verify(envelope, fresh, issuer_id, at)


def length_value(*parts: str) -> bytes:
    """Put texts one after the other as they are signed: the number of UTF-8 bytes, little-endian, and the bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "little") + part for part in encoded)


def _verify(envelope: _Envelope, keys: Iterable[RootKey], issuer_id: str, at: datetime) -> GoogleCallback:
    signed = length_value(SENDER, PROTOCOL, envelope.signed_key)
    roots = [root.key for root in keys if root.expires_at > at]
    if not any(_signs(root, one, signed) for root in roots for one in envelope.key_signatures):
        raise CallbackUntrusted("intermediate-signature")
    key = _intermediate_key(envelope.signed_key, at)
    # The recipient is our own number: a genuine message to another issuer does not verify.
    signed = length_value(SENDER, issuer_id, PROTOCOL, envelope.signed_message)
    if not _signs(key, envelope.signature, signed):
        raise CallbackUntrusted("message-signature")
    callback = _message(envelope.signed_message, issuer_id)
    if callback.expires_at <= at:
        raise CallbackUntrusted("message-expired")
    return callback


def _open(body: bytes) -> _Envelope:
    """Take the envelope apart: exactly its four members, each of its kind."""
    try:
        if len(body) > LONGEST_BODY:
            raise ValueError("too long")
        envelope = _members(body.decode(), _ENVELOPE)
        signing_key = _members_of(envelope["intermediateSigningKey"], _SIGNING_KEY)
        signatures = signing_key["signatures"]
        if envelope["protocolVersion"] != PROTOCOL or not isinstance(signatures, list):
            raise ValueError("another protocol")
        if not 0 < len(signatures) <= _MOST_SIGNATURES:
            raise ValueError("no or too many signatures")
        return _Envelope(
            signature=_signature(envelope["signature"]),
            signed_key=_text(signing_key["signedKey"]),
            key_signatures=tuple(_signature(one) for one in signatures),
            signed_message=_text(envelope["signedMessage"]),
        )
    except (ValueError, RecursionError) as error:
        raise CallbackMalformed("envelope") from error


def _intermediate_key(signed_key: str, at: datetime) -> EllipticCurvePublicKey:
    try:
        described = _members(signed_key)
        expires_at = read_time(described.get("keyExpiration"))
        key = read_public_key(described.get("keyValue"))
    except (ValueError, RecursionError) as error:
        raise CallbackMalformed("intermediate-key") from error
    if expires_at <= at:
        raise CallbackUntrusted("intermediate-expired")
    return key


def _message(signed_message: str, issuer_id: str) -> GoogleCallback:
    try:
        message = _members(signed_message)
        class_id, object_id = _text(message.get("classId")), _text(message.get("objectId"))
        callback = GoogleCallback(
            class_id=class_id,
            object_id=object_id,
            event=CallbackEvent(_text(message.get("eventType"))),
            nonce=_nonce(message.get("nonce")),
            expires_at=read_time(message.get("expTimeMillis")),
            count=_count(message.get("count")),
        )
    except (ValueError, RecursionError) as error:
        raise CallbackMalformed("message") from error
    if not is_id(text=class_id, issuer_id=issuer_id) or not is_id(text=object_id, issuer_id=issuer_id):
        raise CallbackMalformed("ids")
    return callback


def _members(text: str, exactly: set[str] | None = None) -> dict[str, object]:
    """Read a JSON object; a name that stands twice means one thing here and another elsewhere, so it is refused."""
    return _members_of(json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant), exactly)


def _members_of(value: object, exactly: set[str] | None = None) -> dict[str, object]:
    if not isinstance(value, dict) or (exactly is not None and value.keys() != exactly):
        raise ValueError("not these members")
    return value


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _text(value: object) -> str:
    """Return a text that can be signed: half a surrogate pair has no UTF-8, and its ValueError is the refusal."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    value.encode()
    return value


def _nonce(value: object) -> str:
    text = _text(value)
    if not 0 < len(text) <= _LONGEST_NONCE or not text.isascii() or not text.isprintable():
        raise ValueError("not a nonce")
    return text


def _count(value: object) -> int | None:
    if value is None or (type(value) is int and 0 <= value < 2**31):
        return value
    raise ValueError("not a count")


def _signature(value: object) -> bytes:
    text = _text(value)
    if len(text) > _LONGEST_SIGNATURE:
        raise ValueError("too long")
    try:
        signature = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    # The same bytes have one spelling only, so that no letter of a callback can be changed unnoticed.
    if base64.b64encode(signature).decode() != text:
        raise ValueError("not base64")
    return signature


def _signs(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
