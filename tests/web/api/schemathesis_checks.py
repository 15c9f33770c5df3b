"""What schemathesis checks beside its own checks; its command line loads this file by itself."""

import re
import secrets
from collections import Counter
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, GenerationMode, HookContext, Response

from loyalty.web.api.reading import KEY_HEADER, KEY_PATTERN, NOT_VALID, SENTENCES

# What every answer of the server may carry, whatever was asked.
GENERAL = {
    "allow",
    "cache-control",
    "connection",
    "content-language",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "permissions-policy",
    "referrer-policy",
    "server",
    "strict-transport-security",
    "vary",
    "x-content-type-options",
    "x-frame-options",
    "x-request-id",
}
# How often each operation was asked under a good key.
ASKED: Counter[str] = Counter()
AnyCase = Case[Any]  # of any kind of description
FRAME = re.compile(
    "|".join(re.sub(r"%\\\((\w+)\\\)s", ".*", re.escape(text)) for text in (*SENTENCES.values(), NOT_VALID))
)


@schemathesis.hook
def before_call(context: HookContext, case: AnyCase, kwargs: dict[str, Any]) -> None:
    """Draw a key of its own for most requests that bring a good one: under one of old they would be refused.

    Counted, not drawn: an operation may have one good case only, and mostly that is an early one.
    """
    key = str(case.headers[KEY_HEADER]) if KEY_HEADER in (case.headers or {}) else ""
    if re.fullmatch(KEY_PATTERN, key, re.ASCII):
        ASKED[case.operation.label] += 1
        if ASKED[case.operation.label] <= 20 or ASKED[case.operation.label] % 10:
            case.headers[KEY_HEADER] = secrets.token_hex(12)


@schemathesis.check
def documented_headers(context: CheckContext, response: Response, case: AnyCase) -> None:
    """Every header that is the API's own stands in the description."""
    documented = case.operation.responses.find_by_status_code(response.status_code)
    if documented is None:
        return
    known = {name.lower() for name, _ in documented.headers.items()}
    unknown = response.headers.keys() - known - GENERAL
    assert not unknown, f"undocumented headers: {sorted(unknown)}"


@schemathesis.check
def description_as_strict_as_the_frame(context: CheckContext, response: Response, case: AnyCase) -> None:
    """What the description allows is refused by rules of the shop alone, never by how a request is read."""
    positive = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if positive and response.status_code == 422:
        said = response.json().get("errors", {})
        frame = {
            name: text for name, text in said.items() if FRAME.fullmatch(text) and not _is_pointed(case.body, name)
        }
        assert not frame, f"the description allows what is refused: {frame}"


def _is_pointed(body: object, name: str) -> bool:
    """JSON Schema calls 1.0 a whole number. We do not, and there is no way to say so."""
    return isinstance(body, dict) and isinstance(body.get(name), float)
