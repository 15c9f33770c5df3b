"""Why a delivery did not arrive, in the reader's language."""

from flask import Flask

from loyalty.domain import troubles
from loyalty.web.sentences import gettext


def init(app: Flask) -> None:
    """Give templates the filter `trouble`."""
    app.jinja_env.filters["trouble"] = trouble_words


def trouble_words(text: str) -> str:
    """Say it in the reader's language; what a mail server, Apple, Google or a system said stays as it was said."""
    found = troubles.find(text)
    return gettext(found.sentence, **found.values) if found else text
