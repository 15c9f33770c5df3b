"""Single fields of forms that have no more than one or two."""

from uuid import UUID

from flask import request

from loyalty.web.ids import find_id


def uuid_field(name: str) -> UUID | None:
    """Read an id from the form; what is none counts as left out."""
    return find_id(request.form.get(name))


def number_field(name: str, default: int) -> int:
    """Read a whole number from the form; what is none is refused by the rules, as zero."""
    text = request.form.get(name, str(default)).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
