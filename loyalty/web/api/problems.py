"""Refusals as the documentation shows them: RFC 9457 problems with a stable code and the details that help."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from loyalty.errors import LoyaltyError, StaffPinInvalid

Schema = dict[str, Any]  # JSON Schema, as deep as it likes

_TIME: Final = {"type": "string", "format": "date-time"}
_NUMBER: Final = {"type": "integer"}
# What may stand beside a code; each with when it does.
DETAILS: Final[dict[str, Schema]] = {
    "errors": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "VALIDATION_ERROR and its like: what is wrong with each field, by its name.",
    },
    "scope": {"type": "string", "description": "FORBIDDEN: the scope that a key needs for this."},
    "role": {"type": "string", "enum": ["staff", "manager"], "description": "STAFF_PIN_REQUIRED: whose PIN."},
    "attempts_left": _NUMBER | {"description": "STAFF_PIN_INVALID: tries that are left before a wait."},
    "locked_until": {
        "type": ["string", "null"],
        "format": "date-time",
        "description": "STAFF_PIN_LOCKED and STAFF_PIN_INVALID: when the next try is possible.",
    },
    "needs_manager": {"type": "boolean", "description": "STAFF_PIN_LOCKED: only a manager's PIN is taken now."},
    "cooldown_ends_at": _TIME | {"description": "STAMP_COOLDOWN: when the next stamp is possible."},
    "last_stamp_at": _TIME | {"description": "STAMP_COOLDOWN: when the card got its last stamp."},
    "stamps_today": _NUMBER | {"description": "DAILY_STAMP_LIMIT: the card's stamps of this day."},
    "max_daily_stamps": _NUMBER | {"description": "DAILY_STAMP_LIMIT: the most that a day may have."},
    "stamp_count": _NUMBER | {"description": "INSUFFICIENT_STAMPS: the card's stamps."},
    "stamps_target": _NUMBER | {"description": "INSUFFICIENT_STAMPS: how many are needed."},
    "points_balance": _NUMBER | {"description": "INSUFFICIENT_POINTS: the card's points."},
    "points_required": _NUMBER | {"description": "INSUFFICIENT_POINTS: how many are needed."},
    "minimum_purchase_cents": _NUMBER | {"description": "VALIDATION_ERROR: the least purchase that gives points."},
    "left": _NUMBER | {"description": "ALREADY_VOIDED: what can still be taken back."},
    "closes_on": {"type": "string", "format": "date", "description": "PROGRAM_INACTIVE: the last day for redeeming."},
    "replaced_at": _TIME | {"description": "CARD_INACTIVE: when a new card took the place of the one that was named."},
    "retry_at": _TIME | {"description": "RATE_LIMITED: when to ask again."},
}
PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457). `code` is stable; `title` is a sentence for people.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": _NUMBER,
        "code": {"type": "string"},
        **DETAILS,
    },
    "additionalProperties": False,
}


def responses(errors: Iterable[type[LoyaltyError]]) -> dict[str, Schema]:
    """Document every status with every code that it can have."""
    by_status: dict[int, dict[str, type[LoyaltyError]]] = defaultdict(dict)
    for error in errors:
        by_status[error.status].setdefault(error.code, error)
    return {str(status): _response(status, by_status[status]) for status in sorted(by_status)}


def _response(status: int, errors: dict[str, type[LoyaltyError]]) -> Schema:
    codes = sorted(errors)
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": {"code": {"enum": codes}}}]}
    content = {"schema": schema, "examples": {code: {"value": _example(errors[code])} for code in codes}}
    made: Schema = {"description": ", ".join(codes), "content": {"application/problem+json": content}}
    headers = {}
    # The last free guess at a PIN is refused as wrong, and says how long to wait already.
    if status in (423, 429) or StaffPinInvalid in errors.values():
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    if status == 401:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/Authenticate"}
    return made | ({"headers": headers} if headers else {})


def _example(error: type[LoyaltyError]) -> Schema:
    title = re.sub(r"%\(\w+\)s", "3", error.sentence)
    return {"type": "about:blank", "title": title, "status": error.status, "code": error.code}
