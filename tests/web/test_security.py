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
def bakery(app: Flask) -> Business:
    """Ada's bakery."""
    with app.app_context():
        return world.make_business("bakery")


def everyone(app: Flask, bakery: Business) -> dict[str, Door]:
    return {**world.doors(app, bakery), **world.strangers(app)}


def answers(app: Flask, bakery: Business) -> Iterator[tuple[str, TestResponse]]:
    """Ask for every page as everybody, with and without htmx: pages, fragments and refusals of all surfaces."""
    for door in everyone(app, bakery).values():
        for rule, method, _access in world.routes(app):
            for headers in ({}, {"HX-Request": "true"}):
                if method == "GET":
                    yield (
                        rule.endpoint,
                        door.client.get(world.address(app, rule, bakery.ids), headers=headers, buffered=True),
                    )
                else:
                    yield rule.endpoint, door.client.post(world.address(app, rule, bakery.ids), headers=headers)


def test_it_sends_the_same_headers_with_every_answer(app: Flask, bakery: Business) -> None:
    wrong = []
    for endpoint, answer in answers(app, bakery):
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
        found = {name: answer.headers.get(name) for name in expected}
        if "frame-src" in answer.headers["Content-Security-Policy"] and endpoint in HOLDS_A_FRAME:
            expected["Content-Security-Policy"] += "; frame-src 'self'"
        if answer.headers["X-Frame-Options"] == "SAMEORIGIN" and endpoint == "office.preview_mail":
            # What a frame shows: it may look as it likes and do nothing.
            expected |= {"Content-Security-Policy": FRAMED, "X-Frame-Options": "SAMEORIGIN"}
        wrong += [f"{endpoint} {answer.status_code}: {name}" for name in expected if found[name] != expected[name]]
        wrong += [f"{endpoint}: HSTS without https"] * ("Strict-Transport-Security" in answer.headers)
    assert sorted(set(wrong)) == []


def test_it_has_two_faces_and_says_so(app: Flask, bakery: Business) -> None:
    """What looks different for htmx must not be taken from a cache for a browser."""
    wrong = set()
    for door in everyone(app, bakery).values():
        for rule, method, _access in world.routes(app):
            if method == "GET":
                path = world.address(app, rule, bakery.ids)
                asked: tuple[dict[str, str], ...] = ({}, {"HX-Request": "true"})
                # Read to its end, as a browser would: files are streamed.
                page, part = (door.client.get(path, headers=headers, buffered=True) for headers in asked)
                two_faces = page.status_code == 200 == part.status_code and is_page(page) != is_page(part)
                if two_faces and not ("HX-Request" in page.vary and "HX-Request" in part.vary):
                    wrong.add(path)
    assert wrong == set()


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


# Looking is written down where whole lists leave the house.
NOTED = {"office.download_archive", "office.export_customers", "office.export_transactions"}


def test_it_changes_nothing_on_get(app: Flask, owner_engine: sa.Engine, bakery: Business) -> None:
    before = fingerprint(owner_engine)
    for door in everyone(app, bakery).values():
        for rule, method, _access in world.routes(app):
            if method == "GET" and rule.endpoint not in NOTED:
                door.client.get(world.address(app, rule, bakery.ids), buffered=True)
    assert fingerprint(owner_engine) == before


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


def test_it_believes_no_header_about_where_it_is(app: Flask, bakery: Business) -> None:
    """All of them at once, on every page of everybody: it goes where it went without them, and names its own place."""
    # Nobody's cookies would come along to another host.
    together, wrong = {name: value for name, value in SPOOFED.items() if name != "Host"}, []
    for door in everyone(app, bakery).values():
        for rule, method, _access in world.routes(app):
            if method == "GET":
                path = world.address(app, rule, bakery.ids)
                plain = door.client.get(path)
                spoofed = door.client.get(path, headers=together)
                wrong += [f"{path} names {word}" for word in taken_from(spoofed)]
                for one, other in ((plain.status, spoofed.status), (plain.location, spoofed.location)):
                    wrong += [f"{path} becomes {other}"] * (one != other)
    assert wrong == []


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
