"""The description of the JSON API as OpenAPI 3.1, made of nothing but what validates the requests."""

import inspect
import re
from functools import cache
from typing import Any, Final
from uuid import UUID

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from loyalty.domain.values import Scope
from loyalty.web.api.events import EVENT_DATA, describe
from loyalty.web.api.examples import example_of
from loyalty.web.api.operations import OPERATIONS, Operation, all_errors
from loyalty.web.api.others import OTHERS
from loyalty.web.api.problems import PROBLEM, responses
from loyalty.web.api.reading import KEY_HEADER, KEY_PATTERN
from loyalty.web.api.schemas import Answer, Body

Schema = dict[str, Any]  # JSON Schema, as deep as it likes

_REF: Final = "#/components/schemas/{model}"
ABOUT: Final = (
    "Stamps, points, cards and programs for a shop's own software. Send a key in the header `Authorization: Bearer "
    "lp_…`, never in an address. Every writing request carries `Idempotency-Key`: sent again with the same key and "
    "body it gives the same answer, with `Idempotency-Replayed: true`, and does nothing twice. Whatever is refused is "
    "an RFC 9457 problem with a stable `code`, also unknown addresses (404 `NOT_FOUND`) and methods "
    "(405 `METHOD_NOT_ALLOWED`, with `Allow`). Texts for people follow `Accept-Language`. Times are UTC. Amounts are "
    "whole numbers in minor units of the shop's currency."
)
SCOPES: Final = {
    Scope.READ: "Looks at everything, changes nothing.",
    Scope.TILL: "Also works as a till: stamps, purchases, rewards, new cards. PINs as the shop's policy says.",
    Scope.MANAGE: "Also does what needs a manager, without a PIN: corrections, taking back, settings.",
    Scope.PLATFORM: "For the platform's own software, across shops.",
}


@cache
def build(server: str) -> Schema:
    """Describe all operations, as they are reached at this address."""
    schemas = _schemas()
    paths: dict[str, Schema] = {}
    for made in OPERATIONS:
        paths.setdefault(made.path, {})[made.method.lower()] = _operation(made, schemas)
    for (method, path), (summary, answers) in OTHERS.items():
        paths.setdefault(path, {})[method.lower()] = {
            "summary": summary,
            "tags": ["Machines"],
            "security": [],
            "parameters": [_part(name, str) for name in re.findall(r"\{(\w+)\}", path)],
            "responses": answers,
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Loyalty", "version": "1", "description": ABOUT},
        "servers": [{"url": f"{server}/api/v1"}],
        "paths": paths,
        "webhooks": {
            event: describe(event, {"$ref": _REF.format(model=kind.__name__)}) for event, kind in EVENT_DATA.items()
        },
        "components": {
            "schemas": schemas,
            "headers": _headers(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": _scopes()}},
        },
    }


def _schemas() -> dict[str, Schema]:
    models: dict[tuple[type[Body] | type[Answer], JsonSchemaMode], None] = {}
    for made in OPERATIONS:
        models |= {(made.body, "validation"): None} if made.body else {}
        models |= {(kind, "serialization"): None for kind in made.answers.values() if kind}
    models |= {(kind, "serialization"): None for kind in EVENT_DATA.values()}
    _, found = models_json_schema(list(models), ref_template=_REF)
    for made in OPERATIONS:
        found["$defs"] |= _query(made).get("$defs", {})
    return {**found["$defs"], "Problem": PROBLEM}


def _operation(made: Operation, schemas: dict[str, Schema]) -> Schema:
    words = inspect.getdoc(made.handler) or ""
    summary, _, more = words.partition("\n")
    described: Schema = {
        "operationId": made.name,
        "tags": [made.tag],
        "summary": summary,
        "parameters": _parameters(made),
        "security": [{"key": [made.scope.value]}] if made.scope else [],
        "responses": {**_successes(made, schemas), **responses(all_errors(made))},
    }
    if more.strip():
        described["description"] = more.strip()
    if made.body:
        content = _json(made.body.__name__, schemas)
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(made: Operation) -> list[Schema]:
    found = [_part(name, kind) for name, kind in made.hints.items()]
    query = _query(made)
    for name, schema in query.get("properties", {}).items():
        about = schema.pop("description", "")
        required = name in query.get("required", ())
        found.append({"name": name, "in": "query", "required": required, "description": about, "schema": schema})
    if made.writes:
        about = "New for each thing to do; the same again when an answer was lost."
        key = {"type": "string", "pattern": KEY_PATTERN, "examples": ["5f0f6a6e-2f0e-4a87-9b5e-3f8f6d4d1c11"]}
        found.append({"name": KEY_HEADER, "in": "header", "required": True, "description": about, "schema": key})
    return found


def _query(made: Operation) -> Schema:
    return made.query.model_json_schema(ref_template=_REF)


def _part(name: str, kind: Any) -> Schema:  # the type of a part of a path
    schema = {"type": "string", "format": "uuid"} if kind is UUID else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _successes(made: Operation, schemas: dict[str, Schema]) -> dict[str, Schema]:
    names = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
    names += [KEY_REPLAYED] if made.writes else []
    headers = {name: {"$ref": f"#/components/headers/{name.replace('-', '')}"} for name in names}
    found = {}
    for status, kind in made.answers.items():
        about = (inspect.getdoc(kind) or "").partition("\n")[0] if kind else "Done."
        content = {"content": _json(kind.__name__, schemas)} if kind else {}
        found[str(status)] = {"description": about, "headers": headers, **content}
    return found


def _json(name: str, schemas: dict[str, Schema]) -> Schema:
    return {
        "application/json": {
            "schema": {"$ref": _REF.format(model=name)},
            "example": example_of(schemas[name], schemas),
        }
    }


KEY_REPLAYED: Final = "Idempotency-Replayed"


def _headers() -> Schema:
    number, text = {"type": "integer"}, {"type": "string"}
    return {
        "RateLimitLimit": {"description": "How often a minute.", "schema": number},
        "RateLimitRemaining": {"description": "How often still.", "schema": number},
        "RateLimitReset": {"description": "Seconds until all of it may be asked again.", "schema": number},
        "RetryAfter": {"description": "Seconds to wait.", "schema": number},
        "Authenticate": {"description": "Bearer.", "schema": text},
        "IdempotencyReplayed": {
            "description": "`true` where this answer was given before.",
            "schema": {"type": "string", "enum": ["true"]},
        },
    }


def _scopes() -> str:
    lines = " ".join(f"`{scope.value}`: {about}" for scope, about in SCOPES.items())
    return f"A key of the form `lp_<8 characters>_<43 characters>`. Its scope is one of these. {lines}"
