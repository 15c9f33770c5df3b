"""Addresses under /api that are no operations: machines of others ask there, by protocols of their own."""

from typing import Any, Final

_BARE: Final = "A status without words."
_PASS: Final = {"description": "The pass.", "content": {"application/vnd.apple.pkpass": {}}}
_APPLE: Final = "/loyalty/apple/v1"
_DEVICE: Final = f"{_APPLE}/devices/{{device}}/registrations/{{pass_type}}"

# (method, path under /api/v1) -> what it is for, what it answers.
OTHERS: Final[dict[tuple[str, str], tuple[str, dict[str, Any]]]] = {
    ("GET", "/openapi.json"): ("This description.", {"200": {"description": "OpenAPI 3.1."}}),
    ("GET", "/docs"): ("This description as a page for people.", {"200": {"description": "A page."}}),
    ("GET", "/loyalty/passes/apple/{serial}.pkpass"): (
        "Download the Apple pass of a card: the address with its token stands on the card's page and in answers.",
        {"200": _PASS, "401": {"description": _BARE}, "404": {"description": _BARE}},
    ),
    ("POST", f"{_DEVICE}/{{serial}}"): (
        "Apple: a phone registers a pass.",
        {"200": {"description": _BARE}, "201": {"description": _BARE}, "401": {"description": _BARE}},
    ),
    ("DELETE", f"{_DEVICE}/{{serial}}"): (
        "Apple: a phone throws a pass away.",
        {"200": {"description": _BARE}, "401": {"description": _BARE}},
    ),
    ("GET", _DEVICE): (
        "Apple: a phone asks which of its passes changed.",
        {"200": {"description": "Serial numbers."}, "204": {"description": _BARE}},
    ),
    ("GET", f"{_APPLE}/passes/{{pass_type}}/{{serial}}"): (
        "Apple: a phone fetches a pass anew.",
        {"200": _PASS, "304": {"description": _BARE}, "401": {"description": _BARE}},
    ),
    ("POST", f"{_APPLE}/log"): ("Apple: a phone complains.", {"200": {"description": _BARE}}),
    ("POST", "/loyalty/google/callback"): (
        "Google: a card was saved or removed; signed by Google.",
        {status: {"description": _BARE} for status in ("200", "400", "401", "503")},
    ),
}
