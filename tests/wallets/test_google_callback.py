"""Callbacks: every link of the chain holds or nothing is believed."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from loyalty.wallets.google_callback import (
    LONGEST_BODY,
    CallbackEvent,
    CallbackMalformed,
    CallbackRefused,
    CallbackUntrusted,
    GoogleCallback,
    length_value,
    verify,
)
from loyalty.wallets.google_keys import parse_root_keys
from tests import google_signer as google
from tests.wallets.fixed_keys import FixedKeys

VECTORS = json.loads((Path(__file__).parent / "vectors" / "google_callbacks.json").read_text(encoding="utf-8"))
ROOTS = FixedKeys(parse_root_keys(google.key_set()))


# Any in the tables below: JSON of every shape is the point.


def believe(body: bytes, *, at: datetime = google.NOW, issuer_id: str = google.ISSUER) -> GoogleCallback:
    return verify(body=body, roots=ROOTS, issuer_id=issuer_id, at=at)


def refusal(body: bytes, *, at: datetime = google.NOW, issuer_id: str = google.ISSUER) -> str:
    with pytest.raises(CallbackRefused) as refused:
        believe(body, at=at, issuer_id=issuer_id)
    kind = CallbackMalformed if refused.value.status == 400 else CallbackUntrusted
    assert isinstance(refused.value, kind)
    return refused.value.reason


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_it_agrees_with_the_published_vectors(vector: dict[str, object]) -> None:
    keys = parse_root_keys(json.dumps(VECTORS["root_keys"]).encode())
    at = datetime.fromtimestamp(VECTORS["now_ms"] / 1000, UTC)
    body = json.dumps(vector["body"]).encode()
    try:
        verify(body=body, roots=FixedKeys(keys), issuer_id=VECTORS["issuer_id"], at=at)
        outcome = "accept"
    except CallbackRefused as refused:
        outcome = refused.reason
    assert outcome == vector["expect"]


def test_it_says_who_saved_which_card() -> None:
    told = believe(google.callback())
    assert told == GoogleCallback(
        class_id=f"{google.ISSUER}.program-1",
        object_id=f"{google.ISSUER}.card-1",
        event=CallbackEvent.SAVED,
        nonce="b3b7c9c0-6a77-4a3e-9a35-0e9f6d4b0001",
        expires_at=google.NOW + timedelta(hours=1),
        count=1,
    )


def test_it_says_who_removed_a_card() -> None:
    assert believe(google.callback(signed_message=google.message(event="del"))).event is CallbackEvent.REMOVED


def test_it_counts_bytes_and_not_letters() -> None:
    assert length_value("é", "") == b"\x02\x00\x00\x00\xc3\xa9\x00\x00\x00\x00"
    believe(google.callback(signed_message=google.message(shop="Bäckerei Um Eck 🥐")))


def test_it_reads_texts_as_they_were_signed() -> None:
    # The same JSON with other spaces or escapes is another text, and signed as such.
    believe(google.callback(signed_message=google.message().replace(":", " : ").replace("save", "s\\u0061ve")))


def test_it_tries_every_root_key_and_every_signature() -> None:
    body = google.envelope()
    signing_key = body["intermediateSigningKey"]
    assert isinstance(signing_key, dict)
    stranger = google.sign(google.OTHER_ROOT, "GooglePayPasses", google.PROTOCOL, signing_key["signedKey"])
    signing_key["signatures"] = [stranger, "", *signing_key["signatures"]]
    keys = parse_root_keys(google.key_set(ec.generate_private_key(ec.SECP256R1()), google.ROOT))
    verify(body=json.dumps(body).encode(), roots=FixedKeys(keys), issuer_id=google.ISSUER, at=google.NOW)


@pytest.mark.parametrize("sender", ["Google", "GoogleWalletPasses", "googlepaypasses", ""])
def test_it_refuses_another_sender(sender: str) -> None:
    assert refusal(google.callback(sender=sender)) == "intermediate-signature"


@pytest.mark.parametrize("recipient", ["3388000000012345679", f"merchant:{google.ISSUER}", f"0{google.ISSUER}", ""])
def test_it_refuses_a_genuine_message_to_somebody_else(recipient: str) -> None:
    assert refusal(google.callback(recipient=recipient)) == "message-signature"


def test_it_takes_the_recipient_from_its_own_configuration() -> None:
    other = "3388000000099999999"
    foreign = google.message(object_id=f"{other}.card-1", class_id=f"{other}.program-1")
    body = google.callback(recipient=other, signed_message=foreign)
    assert believe(body, issuer_id=other).object_id == f"{other}.card-1"
    assert refusal(body) == "message-signature"


@pytest.mark.parametrize("place", ["class_id", "object_id"])
@pytest.mark.parametrize(
    "foreign", ["3388000000099999999.card-1", "card-1", f"{google.ISSUER}", f"{google.ISSUER}.", f"{google.ISSUER}.a/b"]
)
def test_it_refuses_ids_of_another_issuer_even_when_signed_for_us(place: str, foreign: str) -> None:
    ids = {"class_id": f"{google.ISSUER}.program-1", "object_id": f"{google.ISSUER}.card-1"} | {place: foreign}
    told = google.message(class_id=ids["class_id"], object_id=ids["object_id"])
    assert refusal(google.callback(signed_message=told)) == "ids"


def test_it_refuses_another_root() -> None:
    assert refusal(google.callback(root=google.OTHER_ROOT)) == "intermediate-signature"


def test_it_refuses_a_message_that_the_root_signed_itself() -> None:
    assert refusal(google.callback(intermediate=google.ROOT)) == "message-signature"


def test_it_refuses_from_the_moment_of_expiry() -> None:
    body = google.callback()
    believe(body, at=google.NOW + timedelta(hours=1, milliseconds=-1))
    assert refusal(body, at=google.NOW + timedelta(hours=1)) == "message-expired"


def test_it_refuses_an_expired_intermediate_key() -> None:
    late = google.message(expires_at=google.NOW + timedelta(days=30))
    body = google.callback(signed_message=late)
    believe(body, at=google.NOW + timedelta(days=7, milliseconds=-1))
    assert refusal(body, at=google.NOW + timedelta(days=7)) == "intermediate-expired"


def test_it_refuses_an_expired_root_key() -> None:
    keys = parse_root_keys(google.key_set(expires_at=google.NOW))
    with pytest.raises(CallbackUntrusted, match="intermediate-signature"):
        verify(body=google.callback(), roots=FixedKeys(keys), issuer_id=google.ISSUER, at=google.NOW)


def _p384() -> str:
    return google.public_text(ec.generate_private_key(ec.SECP384R1()))


def _rsa() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize(
    "more",
    [
        {"keyValue": None},
        {"keyValue": 1},
        {"keyValue": "not base64"},
        {"keyValue": "AAAA"},
        {"keyValue": "A" * 5000},
        {"keyValue": _p384()},
        {"keyValue": _rsa()},
        {"keyExpiration": None},
        {"keyExpiration": "soon"},
        {"keyExpiration": "-1"},
        {"keyExpiration": "٣"},
        {"keyExpiration": True},
        {"keyExpiration": 1e300},
        {"keyExpiration": "9" * 400},
    ],
    ids=lambda more: str(more)[:40],
)
def test_it_refuses_a_signed_key_it_cannot_use(more: dict[str, Any]) -> None:
    assert refusal(google.callback(key=google.signed_key(**more))) == "intermediate-key"


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '{"a":1,"a":1}', "[" * 7000, "\x00", '{"keyExpiration":NaN}'])
def test_it_refuses_signed_texts_that_are_no_object(text: str) -> None:
    assert refusal(google.callback(key=text)) == "intermediate-key"
    assert refusal(google.callback(signed_message=text)) == "message"


@pytest.mark.parametrize(
    "more",
    [
        {"eventType": "saved"},
        {"eventType": "SAVE"},
        {"eventType": None},
        {"eventType": ["save"]},
        {"expTimeMillis": None},
        {"expTimeMillis": "tomorrow"},
        {"expTimeMillis": 1795179600000.0},
        {"expTimeMillis": -1},
        {"expTimeMillis": 10**30},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": 7},
        {"nonce": "a\x00b"},
        {"nonce": "é"},
        {"nonce": "n" * 129},
        {"count": "1"},
        {"count": -1},
        {"count": True},
        {"count": 2**40},
        {"classId": None},
        {"objectId": {"a": "b"}},
    ],
    ids=str,
)
def test_it_refuses_a_signed_message_of_another_shape(more: dict[str, Any]) -> None:
    assert refusal(google.callback(signed_message=google.message(**more))) == "message"


def test_it_takes_a_message_without_a_count_and_with_new_members() -> None:
    told = google.message(somethingNew={"deep": [1]}).replace('"count":1,', "")
    assert believe(google.callback(signed_message=told)).count is None


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("protocolVersion", "ECv2"),
        ("protocolVersion", "ECv1"),
        ("protocolVersion", None),
        ("signature", ""),
        ("signature", None),
        ("signature", "====" * 60),
        ("signature", "MEUC\n"),
        ("signedMessage", None),
        ("signedMessage", {}),
        ("signedMessage", "\ud800"),
        ("intermediateSigningKey", None),
        ("intermediateSigningKey", []),
        ("intermediateSigningKey", {}),
        ("intermediateSigningKey", {"signedKey": "{}", "signatures": []}),
        ("intermediateSigningKey", {"signedKey": "{}", "signatures": "MEUC"}),
        ("intermediateSigningKey", {"signedKey": "{}", "signatures": ["MEUC"] * 9}),
        ("intermediateSigningKey", {"signedKey": 1, "signatures": ["MEUC"]}),
        ("intermediateSigningKey", {"signedKey": "{}", "signatures": ["MEUC"], "more": 1}),
        ("more", 1),
    ],
    ids=str,
)
def test_it_refuses_an_envelope_of_another_shape(member: str, value: object) -> None:
    reason = refusal(json.dumps(google.envelope() | {member: value}).encode())
    # An empty signature is base64 of nothing, and signs nothing.
    assert reason == ("message-signature" if (member, value) == ("signature", "") else "envelope")


@pytest.mark.parametrize("member", list(google.envelope()))
def test_it_refuses_an_envelope_without_one_of_its_members(member: str) -> None:
    body = google.envelope()
    del body[member]
    assert refusal(json.dumps(body).encode()) == "envelope"


def test_it_refuses_a_member_that_stands_twice() -> None:
    body = google.callback().decode()
    twice = body[:-1] + f', "signedMessage": {json.dumps(google.message(event="del"))}}}'
    assert refusal(twice.encode()) == "envelope"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"ECv2SigningOnly"',
        b"{",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"[" * 15000,
        b'{"a":' * 3000,
        b"9" * 15000,
        b"NaN",
        json.dumps(google.envelope()).encode("utf-16"),
        google.callback() + b" " * LONGEST_BODY,
        google.callback() + google.callback(),
    ],
    ids=lambda body: body[:12].hex(),
)
def test_it_refuses_what_is_no_envelope(body: bytes) -> None:
    assert refusal(body) == "envelope"
