"""Pushes over real HTTP/2 and TLS, to a server that answers and breaks as Apple's does."""

import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from loyalty.adapters import Held
from loyalty.adapters.apns import ApnsPusher
from loyalty.adapters.apns_token import ApnsKeyError, ProviderToken
from tests.apns_fake import Answer, ApnsFake, apns_server, server_certificate
from tests.apple_passes import certificates

NOW = datetime.now(UTC)


@pytest.fixture
def apns() -> Iterator[ApnsFake]:
    with apns_server() as fake:
        yield fake


@pytest.fixture
def pusher(apns: ApnsFake) -> Iterator[ApnsPusher]:
    made = make_pusher(apns)
    yield made
    made.close()


def make_pusher(apns: ApnsFake, **changes: Any) -> ApnsPusher:  # any argument of ApnsPusher
    made = certificates()
    settings: dict[str, Any] = {
        "url": apns.url,
        "topic": made.pass_type_id,
        "certificate_file": made.certificate,
        "key_file": made.key,
        "trusted_file": server_certificate(),
        "wait": lambda seconds: None,
        "answer_seconds": 20.0,
    }
    return ApnsPusher(**(settings | changes))


def test_it_tells_phones_over_one_connection(apns: ApnsFake, pusher: ApnsPusher) -> None:
    tokens = [f"{number:064x}" for number in range(20)]
    done = pusher.push(tokens, NOW)
    done_again = pusher.push(tokens[:1], NOW)
    assert (done.accepted, done_again.accepted, done.gone, done.trouble) == (tokens, tokens[:1], {}, None)
    assert apns.connections == 1
    headers = apns.seen[0].headers
    assert headers[":method"] == "POST"
    assert headers[":path"] == f"/3/device/{tokens[0]}"
    assert headers["apns-topic"] == certificates().pass_type_id
    assert int(headers["apns-expiration"]) > time.time() + 24 * 3600
    assert "authorization" not in headers


@pytest.mark.parametrize("status", [429, 500, 503])
def test_it_leaves_for_later_what_is_apples_trouble(apns: ApnsFake, pusher: ApnsPusher, status: int) -> None:
    apns.by_token["busy"] = [Answer(status, "TooManyRequests", headers={"retry-after": "7"})]
    done = pusher.push(["busy", "good"], NOW)
    assert (done.accepted, done.gone) == (["good"], {})
    assert done.trouble is not None
    assert not isinstance(done.trouble, Held)
    assert done.trouble.retry_after == 7.0


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "BadTopic"),
        (400, "TopicDisallowed"),
        (400, "SomethingNew"),
        (403, "BadCertificate"),
        (403, "BadCertificateEnvironment"),
        (403, "InvalidProviderToken"),
        (404, "BadPath"),
        (405, "MethodNotAllowed"),
        (413, "PayloadTooLarge"),
    ],
)
def test_it_pauses_where_the_configuration_is_wrong(
    apns: ApnsFake, pusher: ApnsPusher, status: int, reason: str
) -> None:
    apns.everybody = Answer(status, reason)
    done = pusher.push(["first", "second"], NOW)
    assert (done.accepted, done.gone) == ([], {})
    assert isinstance(done.trouble, Held)
    assert reason in str(done.trouble)
    again = pusher.push(["third"], NOW)
    assert isinstance(again.trouble, Held)
    # Nobody is asked while it pauses.
    assert apns.tokens == ["first"]


def test_it_says_since_when_a_phone_is_gone(apns: ApnsFake, pusher: ApnsPusher) -> None:
    apns.by_token["dated"] = [Answer(410, "Unregistered", timestamp=1_795_176_000_123)]
    apns.by_token["undated"] = [Answer(410, "ExpiredToken")]
    apns.by_token["odd"] = [Answer(410, "Unregistered", timestamp=10**30)]
    done = pusher.push(["dated", "undated", "odd"], NOW)
    dated = datetime.fromtimestamp(1_795_176_000, UTC) + timedelta(milliseconds=123)
    assert done.gone == {"dated": dated, "undated": NOW, "odd": NOW}


@pytest.mark.parametrize("reason", ["BadDeviceToken", "DeviceTokenNotForTopic"])
def test_it_believes_that_a_token_is_bad_once_another_was_good(apns: ApnsFake, pusher: ApnsPusher, reason: str) -> None:
    apns.by_token["bad"] = [Answer(400, reason)]
    first = pusher.push(["bad"], NOW)
    assert first.gone == {}
    assert first.trouble is not None
    second = pusher.push(["good", "bad"], NOW)
    assert (second.accepted, second.gone) == (["good"], {"bad": NOW})


def test_it_forgets_nobody_where_most_tokens_are_bad(apns: ApnsFake, pusher: ApnsPusher) -> None:
    assert pusher.push(["good"], NOW).accepted == ["good"]
    apns.everybody = Answer(400, "BadDeviceToken")
    done = pusher.push([f"phone{number}" for number in range(50)], NOW)
    assert len(done.gone) <= 3
    assert isinstance(done.trouble, Held)
    assert len(apns.seen) <= 5


def test_it_connects_again_after_goodbye_and_hang_up(apns: ApnsFake, pusher: ApnsPusher) -> None:
    apns.by_token["last"] = [Answer(go_away=True)]
    apns.by_token["lost"] = [Answer(hang_up=True), Answer()]
    tokens = ["one", "last", "two", "lost", "three"]
    done = pusher.push(tokens, NOW)
    assert (done.accepted, done.trouble) == (tokens, None)
    assert apns.connections >= 3


def test_it_loses_nothing_to_a_server_that_hangs_up_all_the_time(apns: ApnsFake, pusher: ApnsPusher) -> None:
    tokens = [f"phone{number}" for number in range(60)]
    for token in tokens[::5]:
        apns.by_token[token] = [Answer(go_away=True)]
    assert pusher.push(tokens, NOW).accepted == tokens


def test_it_gives_up_for_now_where_nobody_answers(apns: ApnsFake, pusher: ApnsPusher) -> None:
    apns.everybody = Answer(hang_up=True)
    done = pusher.push(["one"], NOW)
    assert done.accepted == []
    assert done.trouble is not None
    assert not isinstance(done.trouble, Held)


def test_it_tells_nobody_whose_certificate_it_does_not_trust(apns: ApnsFake) -> None:
    stranger = make_pusher(apns, trusted_file=None)
    assert stranger.push(["one"], NOW).trouble is not None
    assert apns.seen == []


@pytest.fixture
def push_key(tmp_path: Path) -> tuple[Path, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "AuthKey.p8"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path, key


def test_it_signs_with_a_key_instead_of_the_certificate(
    apns: ApnsFake, push_key: tuple[Path, ec.EllipticCurvePrivateKey]
) -> None:
    token = ProviderToken(key_file=push_key[0], key_id="ABCDE12345", team_id="TEAM123456")
    pusher = make_pusher(apns, token=token)
    assert pusher.push(["one", "two"], NOW).accepted == ["one", "two"]
    pusher.close()
    first, second = (push.headers["authorization"] for push in apns.seen)
    assert first == second
    head, claims, signature = first.removeprefix("bearer ").split(".")
    raw = urlsafe_b64decode(signature + "==")
    dss = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    push_key[1].public_key().verify(dss, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    assert b'"kid":"ABCDE12345"' in urlsafe_b64decode(head + "==")
    assert b'"iss":"TEAM123456"' in urlsafe_b64decode(claims + "==")


def test_it_keeps_a_signed_statement_for_as_long_as_apple_wants(
    push_key: tuple[Path, ec.EllipticCurvePrivateKey],
) -> None:
    token = ProviderToken(key_file=push_key[0], key_id="ABCDE12345", team_id="TEAM123456")
    first = token.current(NOW)
    assert token.current(NOW + timedelta(minutes=49)) == first
    token.renew()
    assert token.current(NOW + timedelta(minutes=10)) == first
    second = token.current(NOW + timedelta(minutes=21))
    assert second != first
    assert token.current(NOW + timedelta(minutes=72)) != second


def test_it_refuses_a_key_that_is_none(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.p8"
    wrong.write_text("no key", encoding="ascii")
    with pytest.raises(ApnsKeyError):
        ProviderToken(key_file=wrong, key_id="ABCDE12345", team_id="TEAM123456")
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    wrong.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ApnsKeyError):
        ProviderToken(key_file=wrong, key_id="ABCDE12345", team_id="TEAM123456")
