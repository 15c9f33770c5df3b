"""Addresses as they arrive: what a program sends raw is read as a browser would have written it."""

import string
from typing import Any
from urllib.parse import quote

from flask import Flask, Request

_WRITTEN = string.punctuation


class AnyAddress(Request):
    """A request whose query may hold any bytes: werkzeug decodes them strictly, and an error page reads them, too."""

    def __init__(self, environ: dict[str, Any], *args: Any, **more: Any) -> None:  # as werkzeug hands it on
        asked = environ.get("QUERY_STRING", "")
        if not asked.isascii():
            environ["QUERY_STRING"] = quote(asked.encode("latin1"), safe=_WRITTEN)
        super().__init__(environ, *args, **more)


def init(app: Flask) -> None:
    """Read all requests so."""
    app.request_class = AnyAddress
