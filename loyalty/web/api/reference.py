"""The OpenAPI description, read for a page: chapters of entries, with their fields as rows."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]  # JSON Schema, as deep as it likes
# As a newcomer needs them: a card, what is done with it, what a shop sets, what others hear.
READ_AS = (
    *("Joining", "Cards", "Stamps", "Points", "Rewards", "Transactions", "Program", "Stores", "PINs", "Terminals"),
    *("Policy", "Statistics", "Webhooks", "Platform", "Machines"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """A field as a row of a table; `inside` are the fields of an object or of the objects of a list."""

    name: str
    kind: str
    required: bool
    about: str
    inside: tuple["Field", ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with its codes, and of a success the fields and an example."""

    status: str
    about: str
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation as a section of the page."""

    anchor: str
    method: str
    path: str
    summary: str
    about: str
    scope: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    example: str
    answers: tuple[Answer, ...]
    problems: tuple[Answer, ...]


def chapters(spec: Schema) -> dict[str, list[Entry]]:
    """Sort the operations into chapters, in the order in which they are best read."""
    found: dict[str, list[Entry]] = defaultdict(list, {tag: [] for tag in READ_AS})
    for path, methods in spec["paths"].items():
        for method, described in methods.items():
            found[described["tags"][0]].append(_entry(spec, path, method, described))
    return {tag: entries for tag, entries in found.items() if entries}


def _entry(spec: Schema, path: str, method: str, described: Schema) -> Entry:
    body = described.get("requestBody", {}).get("content", {}).get("application/json")
    security = described["security"]
    answers = [_answer(spec, status, said) for status, said in described["responses"].items()]
    return Entry(
        anchor=described.get("operationId") or f"{method}-{path.strip('/').replace('/', '-')}",
        method=method.upper(),
        path=path,
        summary=described["summary"],
        about=described.get("description", ""),
        scope=security[0]["key"][0] if security else "",
        parameters=tuple(_parameter(spec, each) for each in described["parameters"]),
        body=_fields(spec, body["schema"]) if body else (),
        example=_pretty(body["example"]) if body else "",
        answers=tuple(answer for answer in answers if answer.status < "400"),
        problems=tuple(answer for answer in answers if answer.status >= "400"),
    )


def _answer(spec: Schema, status: str, said: Schema) -> Answer:
    content = said.get("content", {}).get("application/json")
    if not content:
        return Answer(status, said["description"], (), "")
    return Answer(status, said["description"], _fields(spec, content["schema"]), _pretty(content["example"]))


def _parameter(spec: Schema, each: Schema) -> Field:
    where = {"path": "address", "query": "query", "header": "header"}[each["in"]]
    return Field(each["name"], f"{_kind(spec, each['schema'])}, {where}", each["required"], each.get("description", ""))


def _fields(spec: Schema, schema: Schema) -> tuple[Field, ...]:
    found = _resolved(spec, schema)
    required = found.get("required", ())
    return tuple(
        Field(name, _kind(spec, each), name in required, _about(spec, each), _inside(spec, each))
        for name, each in found.get("properties", {}).items()
    )


def _inside(spec: Schema, schema: Schema) -> tuple[Field, ...]:
    found = _resolved(spec, schema)
    return _fields(spec, found.get("items", {}) if found.get("type") == "array" else found)


def _resolved(spec: Schema, schema: Schema) -> Schema:
    """Follow a reference, and leave null out of a choice."""
    if "$ref" in schema:
        found: Schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    if "anyOf" in schema:
        return _resolved(spec, schema["anyOf"][0])
    return schema


def _kind(spec: Schema, schema: Schema) -> str:
    found = _resolved(spec, schema)
    kind = str(found.get("format") or found.get("type") or "any")
    if kind == "array":
        kind = f"list of {_kind(spec, found.get('items', {}))}"
    if "enum" in found or "const" in found:
        kind = " | ".join(json.dumps(value) for value in found.get("enum", [found.get("const")]))
    nullable = any(choice.get("type") == "null" for choice in schema.get("anyOf", ()))
    return f"{kind} or null" if nullable else kind


def _about(spec: Schema, schema: Schema) -> str:
    found = _resolved(spec, schema)
    bounds = [f"from {found['minimum']}"] if "minimum" in found else []
    bounds += [f"at most {found['maximum']}"] if "maximum" in found else []
    bounds += [f"at most {found['maxLength']} characters"] if "maxLength" in found else []
    if schema.get("default") is not None and "const" not in found:
        bounds.append(f"{json.dumps(schema['default'])} unless said")
    words = schema.get("description", "")
    return " ".join(part for part in (words, f"({', '.join(bounds)})" if bounds else "") if part)


def _pretty(example: object) -> str:
    return json.dumps(example, indent=2, ensure_ascii=False)
