"""What the tablet keeps for a start without a connection."""

import json
import re

from flask import Flask

from loyalty.web.assets import ROOT
from tests.counter import Counter


def test_it_serves_the_service_worker_inside_its_scope(app: Flask, stranger: Counter) -> None:
    answer = stranger.get("/terminal/sw.js")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Service-Worker-Allowed"] == "/terminal"
    assert answer.mimetype == "text/javascript"
    match = re.search(r"self.shell = (\{.*\});", answer.text)
    assert match is not None
    shell = json.loads(match[1])
    client = app.test_client()
    for path in (shell["offline"], *shell["files"]):
        assert client.get(path).status_code == 200, path


def test_it_keeps_every_script_of_the_till(stranger: Counter) -> None:
    kept = stranger.get("/terminal/sw.js").text
    for script in ROOT.glob("terminal/*.js"):
        assert f"/terminal/{script.name}" in kept


def test_it_has_an_offline_page_with_nobodys_data(till: Counter) -> None:
    page = till.get("/terminal/offline")
    assert page.status_code == 200
    assert "No connection" in page.text
    assert "Main Street" not in page.text


def test_it_describes_itself_under_the_name_of_its_store(till: Counter, stranger: Counter) -> None:
    mine = json.loads(till.get("/terminal/manifest.webmanifest").text)
    assert mine["name"] == "Main Street"
    assert mine["scope"] == "/terminal"
    assert json.loads(stranger.get("/terminal/manifest.webmanifest").text)["name"] == "Till"
