"""Fetching Google's root keys."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from loyalty.adapters import Unavailable
from loyalty.adapters.google_keys import fetch_keys, read_keys
from loyalty.wallets.google_callback import verify
from loyalty.wallets.google_keys import RootKeys
from tests import google_signer
from tests.google_fake import GoogleFake


def test_it_fetches_keys_that_verify_a_callback(google: GoogleFake) -> None:
    roots = RootKeys(partial(fetch_keys, google.keys_url))
    for _ in range(3):
        verify(body=google_signer.callback(), roots=roots, issuer_id=google_signer.ISSUER, at=google_signer.NOW)
    assert google.keys_asked == 1


@pytest.mark.parametrize(
    ("told", "age"),
    [
        ("public, max-age=7200, must-revalidate", timedelta(hours=2)),
        ("MAX-AGE=60", timedelta(minutes=1)),
        ("s-max-age=5", timedelta(hours=1)),
        ("no-cache", timedelta(hours=1)),
        ("max-age=-1", timedelta(hours=1)),
        ("max-age=" + "9" * 40, timedelta(hours=1)),
    ],
)
def test_it_keeps_keys_for_as_long_as_their_headers_say(told: str, age: timedelta, google: GoogleFake) -> None:
    google.keys_headers = {"Cache-Control": told}
    fetched = fetch_keys(google.keys_url)
    assert (fetched.body, fetched.max_age) == (google.keys, age)


def test_it_refuses_what_is_far_too_long_and_what_is_not_there(google: GoogleFake) -> None:
    google.keys = b" " * 70_000
    with pytest.raises(Unavailable, match="more than"):
        fetch_keys(google.keys_url)
    with pytest.raises(Unavailable, match="401"):
        fetch_keys(f"{google.wallet_url}/loyaltyClass/1.x")
    with pytest.raises(Unavailable, match="ConnectionError"):
        fetch_keys("http://127.0.0.1:1/keys")


def test_it_reads_keys_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(Unavailable, match=str(path)):
        read_keys(path)
    path.write_bytes(google_signer.key_set())
    assert RootKeys(partial(read_keys, path)).current(google_signer.NOW)
