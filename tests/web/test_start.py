"""The start page while the demo beside it is still being made."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config


def test_it_is_there_before_the_demo_is(
    app: Flask, client: FlaskClient, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "CONFIG", replace(config, embedded=True, data_dir=tmp_path))
    begun = {"vendor_code": "bakery", "owner_password": "a-password-of-the-demo", "card_number": None}
    (tmp_path / "demo.json").write_text(json.dumps(begun), encoding="utf-8")
    page = client.get("/")
    assert page.status_code == 200
    assert "a-password-of-the-demo" not in page.text
