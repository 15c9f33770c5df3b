"""Every form that the pages of a shop show, and what fills it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

from flask import Flask
from flask.testing import FlaskClient

from tests.world import TYPED, Business, address, doors, may_enter, reopen, routes, strangers


@dataclass(frozen=True)
class Form:
    """A form as a page shows it."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)


def find_forms(app: Flask, business: Business) -> dict[str, Form]:
    """Walk all pages as the people of a shop, and return the form of each POST endpoint that a page offers."""
    found: dict[str, Form] = {}
    people = doors(app, business)
    with_eyes = (
        *strangers(app).values(),
        people["locked terminal"],
        people["manager session"],
        people["owner"],
        people["admin"],
    )
    for rule, method, access in routes(app):
        if method != "GET":
            continue
        # The walk is long, and tablets lock themselves meanwhile.
        with app.app_context():
            reopen(business)
        for door in with_eyes:
            if may_enter(door, rule, access):
                for form in _forms_behind(door.client, address(app, rule, business.ids)):
                    endpoint = endpoint_of(app, form)
                    if endpoint and len(form.fields) >= len(found.get(endpoint, form).fields):
                        found[endpoint] = form
    return found


def _forms_behind(client: FlaskClient, path: str) -> Iterator[Form]:
    """Read the forms of a page, and of its other states: those that it links to with another query."""
    page = client.get(path).get_data().decode(errors="replace")
    yield from Forms(page, path).found
    for link in sorted(set(re.findall(rf'href="({re.escape(path)}\?[^"]*)"', page))):
        yield from Forms(client.get(unescape(link)).get_data().decode(errors="replace"), path).found


def endpoint_of(app: Flask, form: Form) -> str | None:
    """Return the endpoint that a form posts to."""
    if form.method != "post":
        return None
    endpoint, _ = app.url_map.bind("localhost").match(form.action.split("?")[0], method="POST")
    return str(endpoint)


def body(business: Business, form: Form | None, **more: str) -> dict[str, str]:
    """Fill a form: what the page put there, the shop's ids, and what people type."""
    empty = TYPED.keys() - {"staff_pin"} if form is None else {name for name, value in form.fields if not value}
    drawn = {name: value for name, value in form.fields if value} if form else {}
    ids = {name: value for name, value in business.ids.items() if name != "token"}
    return {**{name: TYPED.get(name, "") for name in empty}, **ids, **drawn, **more}


class Forms(HTMLParser):
    """Reads the forms of a page, filled as it shows them; of choices the last one."""

    def __init__(self, page: str, path: str = "/") -> None:
        super().__init__()
        self._path = path
        self.found: list[Form] = []
        self._inside = False
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = True
            self.found.append(Form(said.get("action") or self._path, said.get("method", "get").lower()))
        elif self._inside and tag in ("input", "textarea") and "name" in said:
            self.found[-1].fields.append((said["name"], said.get("value", "")))
        elif self._inside and tag == "select":
            self._select = said.get("name", "")
        elif self._inside and tag == "option" and said.get("value"):
            self.found[-1].fields.append((self._select, said["value"]))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"
