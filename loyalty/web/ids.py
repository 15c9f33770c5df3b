"""Ids as they stand in forms and addresses."""

from uuid import UUID


def find_id(text: str | None) -> UUID | None:
    """Read an id; what is none counts as left out."""
    try:
        return UUID(text or "")
    except ValueError:
        return None
