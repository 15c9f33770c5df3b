"""A server that plays Google, and what speaks to it."""

from collections.abc import Iterator

import pytest

from loyalty.adapters.google_api import GoogleApi
from tests.google_cards import make_api
from tests.google_fake import GoogleFake, google_server


@pytest.fixture
def google() -> Iterator[GoogleFake]:
    with google_server() as fake:
        yield fake


@pytest.fixture
def api(google: GoogleFake) -> GoogleApi:
    return make_api(google)
