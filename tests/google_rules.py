"""The rules of Google Wallet that a write can break, for the server that plays Google in tests."""

import base64
import re
from typing import Any

# Any: resources are JSON as it comes.
Resource = dict[str, Any]
Problem = tuple[int, str, str]

_REQUIRED = {
    "loyaltyClass": {"id", "issuerName", "programName", "programLogo", "reviewStatus"},
    "loyaltyObject": {"id", "classId", "state"},
}
_STATES = {"ACTIVE", "COMPLETED", "EXPIRED", "INACTIVE"}


def find_problem(
    kind: str, changed: Resource, *, sent: Resource, issuer_id: str, classes: dict[str, Resource]
) -> Problem | None:
    """Say why a write is refused: status, words, reason."""
    resource_id = str(changed.get("id", ""))
    if not re.fullmatch(r"[0-9]+\.[A-Za-z0-9._-]+", resource_id):
        return 400, "Invalid resource ID", "invalidResource"
    if not resource_id.startswith(f"{issuer_id}."):
        return 403, f"Permission denied for issuer of {resource_id}.", "permissionDenied"
    missing = _REQUIRED[kind] - changed.keys()
    if missing:
        return 400, f"Missing fields: {', '.join(sorted(missing))}", "required"
    return _class_problem(sent, changed) if kind == "loyaltyClass" else _object_problem(changed, classes)


def merged(held: Resource, patch: Resource) -> Resource:
    """Merge as a PATCH does: objects member by member, arrays whole, null wipes."""
    result = dict(held)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = merged(result[name] if isinstance(result.get(name), dict) else {}, value)
        else:
            result[name] = value
    return result


def _class_problem(sent: Resource, changed: Resource) -> Problem | None:
    if sent.get("reviewStatus") not in ("UNDER_REVIEW", "DRAFT"):
        return 400, "reviewStatus must be 'UNDER_REVIEW' or 'DRAFT'.", "invalid"
    if len(changed.get("merchantLocations", [])) > 10:
        return 400, "A maximum of 10 merchantLocations is allowed.", "invalid"
    if not changed["programLogo"].get("sourceUri", {}).get("uri", "").startswith("https://"):
        return 400, "Invalid image URI.", "invalid"
    return None


def refused(status: int, message: str, reason: str) -> tuple[int, Resource]:
    """Write a refusal as Google words it."""
    details = [{"message": message, "domain": "global", "reason": reason}]
    return status, {"error": {"code": status, "message": message, "errors": details}}


def decoded(part: str) -> bytes:
    """Read one part of a JWT."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _object_problem(changed: Resource, classes: dict[str, Resource]) -> Problem | None:
    if changed["classId"] not in classes:
        return 404, f"Class {changed['classId']} not found.", "classNotFound"
    if changed["state"] not in _STATES:
        return 400, f"Invalid value at 'state': {changed['state']}", "invalid"
    for name in ("loyaltyPoints", "secondaryLoyaltyPoints"):
        balance = changed.get(name, {}).get("balance", {})
        if name in changed and len(balance) != 1:
            return 400, "A balance holds exactly one of int, string, double, money.", "invalid"
        if not -(2**31) <= balance.get("int", 0) < 2**31:
            return 400, "Invalid value at 'balance.int' (TYPE_INT32)", "invalid"
    return None
