"""The record of processing in the reader's language: what is kept about customers, why, and for how long."""

from collections.abc import Callable
from dataclasses import dataclass

from loyalty.domain import processing

Say = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose; `columns` name the places in the database."""

    purpose: str
    data: str
    ground: str
    kept: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What the shop's record and the text for its customers are written from."""

    purposes: tuple[Purpose, ...]
    staff: Purpose
    recipients: tuple[str, ...]
    measures: tuple[str, ...]


def record(*, say: Say) -> Record:
    """Write the record; `say` translates."""
    entries = processing.entries()
    return Record(
        purposes=tuple(_purpose(entry.purpose, entry.activity, entry.columns, say) for entry in entries),
        staff=_purpose(processing.STAFF_PURPOSE, processing.STAFF, processing.staff_columns(), say),
        recipients=tuple(say(sentence) for sentence in processing.RECIPIENTS),
        measures=tuple(say(sentence) for sentence in processing.MEASURES),
    )


def _purpose(purpose: str, activity: processing.Activity, columns: tuple[str, ...], say: Say) -> Purpose:
    return Purpose(say(purpose), say(activity.data), say(activity.ground), say(activity.kept), columns)
