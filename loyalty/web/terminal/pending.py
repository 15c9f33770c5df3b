"""What the lock interrupted: kept in the PIN form, offered again afterwards under its own key."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Response

from loyalty.errors import CardNotFound, CardReplaced
from loyalty.services import card_views
from loyalty.services.card_views import CounterCard
from loyalty.web.access import now
from loyalty.web.sentences import gettext
from loyalty.web.terminal.stage import here, show

_PREFIX = "pending_"
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PATH = re.compile(rf"/terminal/(?:cards/({_ID})/(stamps|points|redemptions)|transactions/{_ID}/(void))", re.ASCII)
_KEPT = ("key", "quantity", "amount", "order_reference", "reward_id", "reason", "number", "cost")


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that met the lock: where it goes, which card it is about, and its fields with the key."""

    path: str
    card_id: UUID | None
    verb: str
    fields: dict[str, str]


def from_request(path: str, form: Mapping[str, str]) -> Pending | None:
    """Keep a refused request, if it is one that is worth offering again."""
    match = _PATH.fullmatch(path)
    if match is None or not form.get("key"):
        return None
    fields = {name: form[name] for name in _KEPT if name in form}
    return Pending(path, UUID(match[1]) if match[1] else None, match[2] or match[3], fields)


def from_pin_form(form: Mapping[str, str]) -> Pending | None:
    """Read what the PIN form carried along."""
    fields = {name.removeprefix(_PREFIX): value for name, value in form.items() if name.startswith(_PREFIX)}
    return from_request(fields.get("path", ""), fields)


def as_fields(pending: Pending | None) -> dict[str, str]:
    """Return the hidden fields that carry a request through the PIN form."""
    if pending is None:
        return {}
    return {f"{_PREFIX}{name}": value for name, value in {"path": pending.path, **pending.fields}.items()}


def offer(pending: Pending) -> Response:
    """Show the card again and the action that was not saved, one tap away and with the same key."""
    labels = {
        "stamps": gettext("Stamp"),
        "points": gettext("Add points"),
        "redemptions": gettext("Give reward"),
        "void": gettext("Undo"),
    }
    return show(
        "pending",
        title=gettext("Not saved yet"),
        feedback="warn",
        card=_find_card(pending.card_id, pending.fields.get("number")),
        action=pending.path,
        key=pending.fields["key"],
        fields={name: value for name, value in pending.fields.items() if name != "key"},
        label=labels[pending.verb],
    )


def _find_card(card_id: UUID | None, number: str | None) -> CounterCard | None:
    if card_id is None:
        return None
    try:
        return card_views.get_at_counter(actor=here(), card_id=card_id, number=number, at=now())
    except (CardNotFound, CardReplaced):
        return None
