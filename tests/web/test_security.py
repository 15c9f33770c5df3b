"""What every answer carries and what no request may do: headers, forgery, spoofed addresses, logs."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config import Config
from tests import world
from tests.applications import another_app
from tests.fingerprints import fingerprint
from tests.forms import body
from tests.web.conftest import Street
from tests.world import Business, Door

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "media-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Google's callback is signed; mail programs end news by the signed address alone (RFC 8058).
MACHINES = {"google.receive_callback", "public.end_news"}
HOLDS_A_FRAME = {"office.mail_wording_page", "office.change_mail_wording", "office.send_mail_test"}
FRAMED = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "sandbox"
)
# Generated from its address alone; a service worker has to be asked for anew.
CACHED = {
    "theme.sheet": "public, max-age=86400",
    "google.show_logo": "public, max-age=86400",
    "terminal.worker": "no-cache",
}


@pytest.fixture
def bakery(app: Flask, street: Street) -> Business:
    """Ada's bakery, where everybody is at work."""
    with app.app_context():
        world.reopen(street.bakery)
    return street.bakery


def everyone(app: Flask, bakery: Business) -> dict[str, Door]:
    return {**world.doors(app, bakery), **world.strangers(app)}


Asked = tuple[str, Door, str]


def pages(app: Flask, bakery: Business) -> Iterator[Asked]:
    """Name every page, with the browser of everybody."""
    for door in everyone(app, bakery).values():
        for rule, method, _access in world.routes(app):
            if method == "GET":
                yield rule.endpoint, door, world.address(app, rule, bakery.ids)


def changes(app: Flask, bakery: Business) -> Iterator[Asked]:
    """Name every address that changes something, with the browser of everybody."""
    for door in everyone(app, bakery).values():
        for rule, method, _access in world.routes(app):
            if method != "GET":
                yield rule.endpoint, door, world.address(app, rule, bakery.ids)


HTMX = {"HX-Request": "true"}
# Looking is written down where whole lists leave the house.
NOTED = {"office.download_archive", "office.export_customers", "office.export_transactions"}


def test_it_shows_every_page_to_everybody_as_is_proper(app: Flask, owner_engine: sa.Engine, bakery: Business) -> None:
    """One walk: the same headers everywhere, two faces that say so, no spoofed header believed, nothing changed."""
    asked = list(pages(app, bakery))
    before = fingerprint(owner_engine)
    wrong = {problem for page in asked if page[0] not in NOTED for problem in look(*page)}
    assert fingerprint(owner_engine) == before
    wrong |= {problem for page in asked if page[0] in NOTED for problem in look(*page)}
    assert sorted(wrong) == []


def look(endpoint: str, door: Door, path: str) -> set[str]:
    """Open a page plainly, by htmx and under spoofed headers; say what is wrong."""
    # Nobody's cookies would come along to another host.
    together = {name: value for name, value in SPOOFED.items() if name != "Host"}
    # Read to its end, as a browser would: files are streamed.
    answers = [door.client.get(path, headers=headers, buffered=True) for headers in ({}, HTMX, together)]
    wrong = {f"{endpoint} {problem}" for answer in answers for problem in misses(endpoint, answer)}
    plain, part, spoofed = answers
    # What looks different for htmx must not be taken from a cache for a browser.
    two_faces = plain.status_code == 200 == part.status_code and is_page(plain) != is_page(part)
    if two_faces and not ("HX-Request" in plain.vary and "HX-Request" in part.vary):
        wrong.add(f"{path} has two faces")
    # It goes where it went without them, and names its own place.
    wrong |= {f"{path} names {word}" for word in taken_from(spoofed)}
    if (plain.status, plain.location) != (spoofed.status, spoofed.location):
        wrong.add(f"{path} becomes {spoofed.status} {spoofed.location}")
    return wrong


def test_it_sends_the_same_headers_with_every_refusal(app: Flask, bakery: Business) -> None:
    wrong = set()
    for endpoint, door, path in changes(app, bakery):
        for headers in ({}, HTMX):
            answer = door.client.post(path, headers=headers)
            wrong |= {f"{endpoint} {problem}" for problem in misses(endpoint, answer)}
    assert sorted(wrong) == []


def misses(endpoint: str, answer: TestResponse) -> list[str]:
    """Say which headers of an answer are not what they have to be."""
    at_till = endpoint.startswith("terminal.")
    policy = POLICY | ({"script-src": "'self' 'wasm-unsafe-eval'"} if at_till else {})
    expected = ALWAYS | {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Permissions-Policy": f"camera={'(self)' if at_till else '()'}, geolocation=(), microphone=(), "
        "payment=(), usb=()",
        "Cache-Control": CACHED.get(endpoint, "no-store") if answer.status_code < 300 else "no-store",
        "Referrer-Policy": "no-referrer"
        if endpoint.startswith(("public.", "google."))
        else "strict-origin-when-cross-origin",
    }
    if "frame-src" in answer.headers["Content-Security-Policy"] and endpoint in HOLDS_A_FRAME:
        expected["Content-Security-Policy"] += "; frame-src 'self'"
    if answer.headers["X-Frame-Options"] == "SAMEORIGIN" and endpoint == "office.preview_mail":
        # What a frame shows: it may look as it likes and do nothing.
        expected |= {"Content-Security-Policy": FRAMED, "X-Frame-Options": "SAMEORIGIN"}
    wrong = [name for name in expected if answer.headers.get(name) != expected[name]]
    wrong += ["HSTS without https"] * ("Strict-Transport-Security" in answer.headers)
    return [f"{answer.status_code}: {name}" for name in wrong]


def is_page(answer: TestResponse) -> bool:
    return answer.get_data().decode(errors="replace").startswith("<!doctype html>")


def test_it_refuses_every_change_without_a_token(app: Flask, bakery: Business) -> None:
    let_through = []
    for door in everyone(app, bakery).values():
        for rule, method, access in world.routes(app):
            # Machines bring no cookie that another site could ride on.
            if method != "GET" and rule.endpoint not in MACHINES and world.may_enter(door, rule, access):
                path = world.address(app, rule, bakery.ids)
                for token in ({}, {"csrf_token": "made up"}):
                    answer = door.client.open(path, method=method, data={"key": "k" * 24, **token})
                    let_through += [path] * (answer.status_code != 400)
    assert let_through == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_it_refuses_what_another_site_sends(app: Flask, bakery: Business, site: str) -> None:
    let_through = []
    for door in everyone(app, bakery).values():
        token = world.csrf(app, door.client)
        for rule, method, access in world.routes(app):
            # Programs and phones bring no cookie; what they may send is not a form's business.
            is_form = method != "GET" and not rule.rule.startswith("/api/")
            if is_form and world.may_enter(door, rule, access):
                path = world.address(app, rule, bakery.ids)
                body = {"csrf_token": token, "key": "k" * 24}
                answer = door.client.open(path, method=method, data=body, headers={"Sec-Fetch-Site": site})
                let_through += [path] * (answer.status_code != 403)
    assert let_through == []


SPOOFED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-For": "192.0.2.66",
    "X-Forwarded-Proto": "https",
    "Forwarded": "for=192.0.2.66;host=evil.example;proto=https",
    "X-Original-URL": "/office",
    "X-Rewrite-URL": "/office",
}


def taken_from(answer: TestResponse) -> list[str]:
    """Return the words of those headers that an answer repeats."""
    said = answer.get_data().decode(errors="replace") + str(answer.headers)
    return [word for word in ("evil.example", "192.0.2.66", "https://localhost") if word in said]


@pytest.mark.parametrize("header", SPOOFED)
def test_it_believes_no_header_alone(app: Flask, bakery: Business, header: str) -> None:
    """Each by itself, on every page, once: none may hide behind another."""
    doors, wrong = everyone(app, bakery), []
    for rule, method, access in world.routes(app):
        if method == "GET":
            door = next(door for door in doors.values() if world.may_enter(door, rule, access))
            path = world.address(app, rule, bakery.ids)
            answer = door.client.get(path, headers={header: SPOOFED[header]})
            wrong += [f"{path} names {word}" for word in taken_from(answer)]
    assert wrong == []


@pytest.mark.parametrize(("hops", "seen"), [(0, "127.0.0.1"), (1, "198.51.100.7"), (2, "192.0.2.66")])
def test_it_believes_as_many_proxies_as_there_are(config: Config, hops: int, seen: str) -> None:
    with another_app(replace(config, trusted_proxies=hops), config) as app, app.test_client() as client:
        client.get("/healthz", headers={"X-Forwarded-For": "203.0.113.5, 192.0.2.66, 198.51.100.7"})
        assert request.remote_addr == seen


def test_it_lets_caches_keep_files_and_nothing_else(app: Flask, client: FlaskClient) -> None:
    sheet = re.search(
        r'href="(/static/[^"]+app\.css)"', client.get("/office/sign-in").get_data().decode(errors="replace")
    )
    assert sheet is not None
    kept = client.get(sheet[1])
    assert "immutable" in kept.headers["Cache-Control"]
    assert kept.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get(f"{sheet[1]}/x.css").status_code == 404
    assert client.get("/static/../config.py").status_code == 404


def test_it_clears_the_browser_when_somebody_leaves(app: Flask, bakery: Business) -> None:
    doors = everyone(app, bakery)
    for name, path in (("owner", "/office/sign-out"), ("manager session", "/terminal/unpair")):
        client = doors[name].client
        body = {"csrf_token": world.csrf(app, client), "key": "k" * 24}
        answer = client.post(path, data=body)
        assert answer.status_code == 303
        assert "cache" in answer.headers["Clear-Site-Data"]
        assert client.get(path.rsplit("/", 1)[0] + "/settings").status_code in (303, 401)


def test_it_answers_what_cannot_be_read(app: Flask, client: FlaskClient) -> None:
    assert client.get("/no/such/page").status_code == 404
    assert client.get("/card/x.css").status_code == 404
    assert client.delete("/terminal").status_code == 405
    assert client.get("/terminal/pair").status_code == 405
    assert client.get("/join/%00").status_code in (400, 404)
    assert client.post("/office/sign-in", data={"email": "a\x00b"}).status_code == 400
    assert client.post("/office/sign-in", data={"email": "x" * app.config["MAX_CONTENT_LENGTH"]}).status_code == 413
    kind = "application/x-www-form-urlencoded"
    assert client.post("/office/sign-in", data=b"%ff=%zz", content_type=kind).status_code == 400
    for answer in (client.get("/no/such/page"), client.get("/no/such/page", headers={"HX-Request": "true"})):
        assert "Traceback" not in answer.get_data().decode(errors="replace")
        assert answer.headers["Cache-Control"] == "no-store"


CANARIES = {"name": "Zoë Kanari", "email": "zoe.kanari@example.org", "phone": "+352 621 778 899", "staff_pin": "918273"}
NEVER = ("Kanari", "kanari", "621778899", "621 778 899", "918273")


def test_it_writes_no_person_into_the_log(
    app: Flask, bakery: Business, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for door in everyone(app, bakery).values():
        token = world.csrf(app, door.client)
        for rule, method, _access in world.routes(app):
            path = world.address(app, rule, bakery.ids)
            if method == "GET":
                door.client.get(path, query_string={"q": CANARIES["phone"], "email": CANARIES["email"]})
            else:
                filled = body(bakery, None, csrf_token=token, key="k" * 24, q=CANARIES["email"], **CANARIES)
                door.client.open(path, method=method, data=filled, headers={"User-Agent": "Kanari"})
    log = capfd.readouterr().err + caplog.text
    assert '"event": "request"' in log
    assert [word for word in (*NEVER, bakery.ids["token"]) if word in log] == []
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert all(line.get("request_id") for line in lines if line["event"] == "request")
