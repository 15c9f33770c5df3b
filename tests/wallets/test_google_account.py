"""The service account: loaded once, and the links that it signs."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from loyalty.wallets.google_account import LONGEST_TOKEN, AccountError, load_account, origin_of, save_link

AT = datetime(2026, 11, 20, 12, 0, 0, 987654, tzinfo=UTC)
OBJECT = "3388000000012345678.card-01935a00000070008000000000000002"
CLASS = "3388000000012345678.program-01935a00000070008000000000000001"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def account_file(folder: Path, **changes: object) -> Path:
    path = folder / "account.json"
    info = {
        "type": "service_account",
        "client_email": "cards@bakery.iam.gserviceaccount.com",
        "private_key": pem(KEY),
        "private_key_id": "8f" * 20,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    path.write_text(json.dumps(info | changes), encoding="utf-8")
    return path


def link(folder: Path, **changes: str) -> str:
    details = {"object_id": OBJECT, "class_id": CLASS, "origin": "https://cards.example"} | changes
    return save_link(account=load_account(account_file(folder)), at=AT, **details)


def test_it_signs_a_link_that_google_can_verify(tmp_path: Path) -> None:
    address, _, token = link(tmp_path).rpartition("/")
    assert address == "https://pay.google.com/gp/v/save"
    header, claims, signature = (_decoded(part) for part in token.split("."))
    assert json.loads(header) == {"alg": "RS256", "typ": "JWT", "kid": "8f" * 20}
    KEY.public_key().verify(signature, token.rpartition(".")[0].encode(), PKCS1v15(), SHA256())
    assert json.loads(claims) == {
        "iss": "cards@bakery.iam.gserviceaccount.com",
        "aud": "google",
        "typ": "savetowallet",
        "iat": 1795176000,
        "origins": ["https://cards.example"],
        "payload": {"loyaltyObjects": [{"id": OBJECT, "classId": CLASS}]},
    }


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_it_keeps_links_short_enough_for_every_phone(tmp_path: Path) -> None:
    assert len(link(tmp_path).rpartition("/")[2]) < 950
    with pytest.raises(ValueError, match=f"{LONGEST_TOKEN} are safe"):
        link(tmp_path, object_id="9" * 900)


def test_it_writes_no_spaces_and_no_padding(tmp_path: Path) -> None:
    token = link(tmp_path).rpartition("/")[2]
    assert "=" not in token
    assert b" " not in _decoded(token.split(".")[1])


def test_it_keeps_the_key_out_of_its_own_text(tmp_path: Path) -> None:
    assert "PRIVATE" not in repr(load_account(account_file(tmp_path)))


def test_it_names_the_origin_of_an_address() -> None:
    assert origin_of("https://cards.example:8443/card/x?y") == "https://cards.example:8443"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"type": "authorized_user"}, "is not the key of a service account"),
        ({"client_email": None}, "has no client_email"),
        ({"private_key_id": ""}, "has no private_key_id"),
        ({"token_uri": 1}, "has no token_uri"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----"}, "private_key that cannot be read"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP256R1()))}, "not an RSA key"),
        ({"private_key": pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))}, "at least 2048 bits"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_it_refuses_an_account_with_one_line(changes: dict[str, object], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(AccountError, match=sentence) as refused:
        load_account(account_file(tmp_path, **changes))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{"])
def test_it_refuses_a_file_that_holds_no_account(body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    path.write_bytes(body)
    with pytest.raises(AccountError):
        load_account(path)
    with pytest.raises(AccountError):
        load_account(tmp_path / "nowhere.json")
