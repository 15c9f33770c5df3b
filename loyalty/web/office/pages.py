"""Pages of long lists, turned by plain links."""

from dataclasses import dataclass
from typing import Any

from flask import request, url_for


@dataclass(frozen=True, slots=True)
class Page:
    """What the pager shows: the addresses of the neighbours, None at the ends."""

    number: int
    pages: int
    previous: str | None
    next: str | None

    @classmethod
    def of(cls, number: int, pages: int, endpoint: str, **values: Any) -> "Page":
        """Describe a page of a list at an endpoint."""
        addresses = {
            place: url_for(endpoint, page=place if place > 1 else None, **values)
            for place in (number - 1, number + 1)
            if 1 <= place <= pages
        }
        return cls(number, pages, addresses.get(number - 1), addresses.get(number + 1))


def page_number() -> int:
    """Read which page is asked for; what is no number is the first."""
    asked = request.args.get("page", "")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 8 else 1
