"""What phones complain about: their words go to our log, shortened and without what could be a secret."""

import logging
import re

from flask import Response

from loyalty.web.access import public
from loyalty.web.apple.answers import bare, json_body
from loyalty.web.apple.blueprint import SERVICE, blueprint
from loyalty.web.errors import MalformedRequest
from loyalty.web.limits import address_source, limit

_LONGEST_BODY = 16 * 1024
# A sample: the first words of one phone tell what is wrong, the hundredth nothing new.
_SAMPLE = 3
_LONGEST_LINE = 300
# Addresses in these texts name cards and phones.
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,}")

_log = logging.getLogger(__name__)


@blueprint.post(f"{SERVICE}/log", strict_slashes=False)
@public
@limit("10 per minute", key_func=address_source)
def note() -> Response:
    """Take a phone's complaints."""
    said = json_body(longest=_LONGEST_BODY).get("logs")
    if not isinstance(said, list):
        raise MalformedRequest
    entries = [entry for entry in said if isinstance(entry, str)]
    if len(entries) < len(said):
        raise MalformedRequest
    for entry in entries[:_SAMPLE]:
        _log.warning("a phone says: %s", _readable(entry))
    return bare(200)


def _readable(entry: str) -> str:
    line = "".join(letter if letter.isprintable() else " " for letter in entry[:_LONGEST_LINE])
    return _SECRET.sub("…", line)
