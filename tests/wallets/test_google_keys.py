"""The root keys: kept until they expire, fetched rarely."""

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from loyalty.wallets.google_callback import CallbackUntrusted, verify
from loyalty.wallets.google_keys import REFRESHER, FetchedKeys, KeySetError, KeysUnavailable, RootKeys, parse_root_keys
from tests import google_signer as google

DAY = timedelta(days=1)


class Publisher:
    """Where keys are fetched from; it can be down, publish others, and counts who asked."""

    def __init__(self, body: bytes | None = None, max_age: timedelta = DAY) -> None:
        self.body = body
        self.max_age = max_age
        self.asked = 0

    def fetch(self) -> FetchedKeys:
        self.asked += 1
        if self.body is None:
            raise OSError("unreachable")
        return FetchedKeys(self.body, self.max_age)


def let_it_refresh() -> None:
    """Wait for the thread that fetches beside this one."""
    for thread in threading.enumerate():
        if thread.name == REFRESHER:
            thread.join(60)


def test_it_fetches_once_and_keeps() -> None:
    publisher = Publisher(google.key_set())
    roots = RootKeys(publisher.fetch)
    first = roots.current(google.NOW)
    assert roots.current(google.NOW + DAY / 4) == first
    assert len(first) == 1
    assert publisher.asked == 1


def test_it_refreshes_beside_at_half_of_the_age() -> None:
    publisher = Publisher(google.key_set())
    roots = RootKeys(publisher.fetch)
    roots.current(google.NOW)
    publisher.body = google.key_set(google.ROOT, google.OTHER_ROOT)
    # The keys at hand answer at once; the new ones come when they come.
    assert len(roots.current(google.NOW + DAY / 2)) == 1
    let_it_refresh()
    assert len(roots.current(google.NOW + DAY / 2)) == 2
    assert publisher.asked == 2


def test_it_keeps_its_keys_while_the_publisher_is_away() -> None:
    publisher = Publisher(google.key_set(expires_at=google.NOW + 7 * DAY))
    roots = RootKeys(publisher.fetch)
    roots.current(google.NOW)
    publisher.body = None
    for hours in range(1, 7 * 24):
        assert roots.current(google.NOW + timedelta(hours=hours))
        let_it_refresh()
    assert publisher.asked > 100
    with pytest.raises(KeysUnavailable):
        roots.current(google.NOW + 7 * DAY)


def test_it_asks_seldom_while_it_has_no_keys() -> None:
    publisher = Publisher()
    roots = RootKeys(publisher.fetch)
    for second in range(60):
        with pytest.raises(KeysUnavailable):
            roots.current(google.NOW + timedelta(seconds=second))
    assert publisher.asked == 3
    publisher.body = google.key_set()
    assert roots.current(google.NOW + timedelta(seconds=60))


def test_it_does_not_fetch_for_every_forged_callback() -> None:
    publisher = Publisher(google.key_set())
    roots = RootKeys(publisher.fetch)
    forged = google.callback(root=google.OTHER_ROOT)
    for second in range(900):
        at = google.NOW + timedelta(seconds=second)
        with pytest.raises(CallbackUntrusted):
            verify(body=forged, roots=roots, issuer_id=google.ISSUER, at=at)
    assert publisher.asked == 3


def test_it_learns_of_new_roots_from_the_first_callback_that_they_sign() -> None:
    publisher = Publisher(google.key_set())
    roots = RootKeys(publisher.fetch)
    roots.current(google.NOW)
    publisher.body = google.key_set(google.OTHER_ROOT)
    at = google.NOW + timedelta(minutes=6)
    body = google.callback(root=google.OTHER_ROOT)
    assert verify(body=body, roots=roots, issuer_id=google.ISSUER, at=at).count == 1
    assert publisher.asked == 2


def test_it_cannot_tell_without_keys() -> None:
    with pytest.raises(KeysUnavailable):
        verify(body=google.callback(), roots=RootKeys(Publisher().fetch), issuer_id=google.ISSUER, at=google.NOW)


def test_it_survives_a_restart_without_the_publisher(tmp_path: Path) -> None:
    path = tmp_path / "wallet" / "google-root-keys.json"
    RootKeys(Publisher(google.key_set()).fetch, path).current(google.NOW)
    publisher = Publisher()
    assert RootKeys(publisher.fetch, path).current(google.NOW + DAY)
    let_it_refresh()
    assert publisher.asked == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_it_takes_no_expired_or_broken_keys_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    for kept in (google.key_set(expires_at=google.NOW), b"{", b""):
        path.write_bytes(kept)
        with pytest.raises(KeysUnavailable):
            RootKeys(Publisher().fetch, path).current(google.NOW)


def test_it_fetches_once_for_many_threads() -> None:
    publisher = Publisher(google.key_set())
    roots = RootKeys(publisher.fetch)
    threads = [threading.Thread(target=roots.current, args=(google.NOW,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert publisher.asked == 1


def test_it_takes_only_keys_of_its_protocol_that_say_when_they_end() -> None:
    good = json.loads(google.key_set())["keys"][0]
    entries = [
        good | {"protocolVersion": "ECv2"},
        {name: value for name, value in good.items() if name != "keyExpiration"},
        good | {"keyValue": google.public_text(ec.generate_private_key(ec.SECP384R1()))},
        "key",
        good,
    ]
    (key,) = parse_root_keys(json.dumps({"keys": entries}).encode())
    assert key.expires_at == google.NOW + 3650 * DAY


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{}", b'{"keys": {}}', b'{"keys": []}', b"\xff", b"[" * 9999, b'{"keys": [1]}'],
    ids=lambda body: body[:10].hex(),
)
def test_it_refuses_what_is_no_key_set(body: bytes) -> None:
    with pytest.raises(KeySetError):
        parse_root_keys(body)
