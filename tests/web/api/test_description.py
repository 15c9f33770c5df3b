"""The description is complete: no address, field, parameter, status or code of the API is missing from it."""

import inspect
import json
import re
from functools import cache
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from loyalty.web.api.operations import OPERATIONS, Operation, all_errors
from loyalty.web.api.others import OTHERS
from loyalty.web.api.problems import DETAILS
from loyalty.web.api.schemas import NO_NUL
from loyalty.web.api.spec import build

JSON = "application/json"
SAFE = {"HEAD", "OPTIONS"}


@cache
def spec() -> dict[str, Any]:
    """The description as programs read it, written and read once."""
    return dict(json.loads(json.dumps(build(""))))


def by_name() -> list[Any]:
    return [pytest.param(made, id=made.name) for made in OPERATIONS]


def described(made: Operation) -> dict[str, Any]:
    found: dict[str, Any] = spec()["paths"][made.path][made.method.lower()]
    return found


def test_it_hands_out_the_description(config: Config, client: FlaskClient) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, JSON)
    assert answer.json == spec() | {"servers": [{"url": f"{config.public_url}/api/v1"}]}


def test_it_describes_every_address(app: Flask) -> None:
    routes = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
            routes |= {(method, path) for method in (rule.methods or set()) - SAFE}
    told = {(method.upper(), path) for path, entry in spec()["paths"].items() for method in entry}
    assert told == routes
    assert told == OTHERS.keys() | {(made.method, made.path) for made in OPERATIONS}
    assert not OTHERS.keys() & {(made.method, made.path) for made in OPERATIONS}


@pytest.mark.parametrize("made", by_name())
def test_it_describes_every_field(made: Operation) -> None:
    schemas = spec()["components"]["schemas"]
    entry = described(made)
    if made.body:
        name = entry["requestBody"]["content"][JSON]["schema"]["$ref"].rpartition("/")[2]
        assert set(schemas[name].get("properties", {})) == set(made.body.model_fields)
        assert schemas[name]["additionalProperties"] is False
        made.body.model_validate(entry["requestBody"]["content"][JSON]["example"], strict=False)
    for status, kind in made.answers.items():
        if kind is not None:
            content = entry["responses"][str(status)]["content"][JSON]
            name = content["schema"]["$ref"].rpartition("/")[2]
            assert set(schemas[name]["properties"]) == set(schemas[name]["required"]) == set(kind.model_fields)
            kind.model_validate(content["example"])


@pytest.mark.parametrize("made", by_name())
def test_it_describes_every_refusal(made: Operation) -> None:
    told = set()
    for status, answer in described(made)["responses"].items():
        for content in (answer.get("content") or {}).values():
            codes = [part["properties"]["code"]["enum"] for part in content["schema"].get("allOf", [])[1:]]
            told |= {(int(status), code) for found in codes for code in found}
            assert all(code in content["examples"] for found in codes for code in found)
    assert told == {(error.status, error.code) for error in all_errors(made)}


@pytest.mark.parametrize("made", by_name())
def test_it_describes_every_parameter(made: Operation) -> None:
    told = {(each["in"], each["name"]) for each in described(made)["parameters"]}
    expected = {("path", name) for name in re.findall(r"{(\w+)}", made.path)}
    expected |= {("query", name) for name in made.query.model_fields}
    expected |= {("header", "Idempotency-Key")} if made.writes else set()
    assert told == expected
    assert described(made)["security"] == ([{"key": [made.scope.value]}] if made.scope else [])


@pytest.mark.parametrize("made", by_name())
def test_it_bounds_every_text(made: Operation) -> None:
    """No text is longer than the database wants it, and none carries a NUL."""
    schemas = spec()["components"]["schemas"]
    wrong = []
    for name in [kind.__name__ for kind in (made.body,) if kind]:
        for field, schema in schemas[name].get("properties", {}).items():
            for choice in schema.get("anyOf", [schema]):
                free = choice.get("type") == "string" and not {"enum", "const", "format"} & choice.keys()
                if free and (choice.get("pattern") != NO_NUL or "maxLength" not in choice):
                    wrong.append(field)
    assert wrong == []


def test_it_leaves_nothing_dangling() -> None:
    for ref in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(spec()))):
        found = spec()
        for name in ref.split("/"):
            assert name in found, ref
            found = found[name]


def test_it_gives_each_thing_a_name_of_its_own() -> None:
    names = [made.name for made in OPERATIONS]
    assert len(names) == len(set(names))
    models = {kind for made in OPERATIONS for kind in (made.body, *made.answers.values()) if kind}
    assert len({kind.__name__ for kind in models}) == len(models)
    assert all(kind.__doc__ and inspect.getdoc(kind) for kind in models)


def test_it_shows_all_of_it_on_a_page_without_scripts(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert not re.findall(r"""(?:src|href)=["']https?://""", page.text)
    for made in OPERATIONS:
        assert f'id="{made.name}"' in page.text
        fields = [kind.model_fields for kind in (made.body, made.query, *made.answers.values()) if kind]
        assert [name for each in fields for name in each if f"<code>{name}</code>" not in page.text] == []
        assert [error.code for error in all_errors(made) if error.code not in page.text] == []


def test_it_knows_every_detail_of_a_refusal() -> None:
    assert not {"type", "title", "status", "code"} & DETAILS.keys()


def test_it_sets_the_words_of_programs_apart(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs").text
    assert "<code>Idempotency-Key</code>: sent again" in page
    assert "`" not in page
