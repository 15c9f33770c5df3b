"""A browser without JavaScript: it signs in, reads the hidden fields of a form, and sends them back."""

import re
from collections.abc import Mapping
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.office import PASSWORD, Office
from tests.world import csrf

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def sign_in(client: FlaskClient, office: Office) -> None:
    """Sign in as the owner of a shop, with a token as its page would bring it."""
    token = csrf(client.application, client)
    typed = {"csrf_token": token, "email": office.email, "password": PASSWORD}
    answer = client.post("/office/sign-in", data=typed, follow_redirects=False)
    assert answer.status_code == 303, answer.text


def hidden(page: TestResponse, action: str | None = None) -> dict[str, str]:
    """Return the hidden fields of a page's form: the one with this action, or else the last."""
    forms = re.findall(r"<form\b.*?</form>", page.text, re.DOTALL)
    if action is not None:
        forms = [form for form in forms if f'action="{action}"' in form]
    assert forms, f"no form {action or ''} in {page.text}"
    return {name: unescape(value) for name, value in HIDDEN.findall(forms[-1])}


def fields(page: TestResponse) -> dict[str, str]:
    """Return what the named fields of a page hold, as a browser would send them."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input\b[^>]*>", page.text):
        held = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        ticked = re.search(r"\bchecked\b", tag) or held.get("type") not in ("radio", "checkbox")
        if "name" in held and ticked:
            found[held["name"]] = unescape(held.get("value", "y"))
    for name, text in re.findall(r'<textarea\b[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', page.text, re.DOTALL):
        found[name] = unescape(text).strip()
    for name, body in re.findall(r'<select\b[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page.text, re.DOTALL):
        chosen = re.search(r'<option selected value="([^"]*)"', body) or re.search(r'<option value="([^"]*)"', body)
        found[name] = unescape(chosen.group(1)) if chosen else ""
    return found


def send(client: FlaskClient, path: str, page: TestResponse, changes: Mapping[str, str | None]) -> TestResponse:
    """Send a page's form with some fields changed; None leaves a field out."""
    data = {**fields(page), **changes}
    return client.post(path, data={name: value for name, value in data.items() if value is not None})
