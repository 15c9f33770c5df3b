"""A browser at the till of a shop: without scripts, or as htmx speaks."""

import re
import secrets
from dataclasses import dataclass
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import Shop

HTMX = {"HX-Request": "true"}


@dataclass
class Counter:
    """A tablet's browser; `htmx` makes it ask for fragments."""

    client: FlaskClient
    htmx: bool = False

    def as_htmx(self) -> "Counter":
        """Return the same browser, asking for fragments."""
        return Counter(self.client, htmx=True)

    def get(self, path: str) -> TestResponse:
        """Look at a screen."""
        return self.client.get(path, headers=self._headers())

    def post(self, path: str, *, key: str | None = None, **fields: object) -> TestResponse:
        """Send a form, with a new key unless one is given."""
        page = self.client.get("/terminal")
        data = {"csrf_token": hidden(page, "csrf_token"), "key": key or secrets.token_urlsafe(24), **fields}
        return self.client.post(path, data=data, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return HTMX if self.htmx else {}


def at_counter(client: FlaskClient, shop: Shop, cookie: str = "terminal") -> Counter:
    """Put a paired tablet's cookie into a browser."""
    client.set_cookie(cookie, shop.terminal_token)
    return Counter(client)


def hidden(response: TestResponse, name: str) -> str:
    """Return the value of a page's first hidden field with this name."""
    match = re.search(rf'name="{name}" value="([^"]*)"', response.text)
    assert match is not None, f"no field {name}"
    return unescape(match[1])


def screen_of(response: TestResponse) -> str:
    """Return the id of the screen that a response shows."""
    match = re.search(r'<section class="screen[^"]*" id="(\w+)"', response.text)
    assert match is not None, response.text[:400]
    return match[1]


def title_of(response: TestResponse) -> str:
    """Return the heading of a screen, in plain text."""
    match = re.search(r"<h1[^>]*>(.*?)</h1>", response.text, re.S)
    assert match is not None, response.text[:400]
    return unescape(re.sub(r"<[^>]+>", "", match[1])).strip()
