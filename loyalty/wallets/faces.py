"""The faces of a card in the wallets, for the preview: what the made passes themselves say, in one language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loyalty.domain.values import PassContent
from loyalty.wallets.apple_pass import ApplePassFacts, pass_body
from loyalty.wallets.google import object_json
from loyalty.wallets.google_facts import CardFacts
from loyalty.wallets.google_texts import texts


@dataclass(frozen=True, slots=True)
class Field:
    """A value and the word above it."""

    label: str
    value: int | str


@dataclass(frozen=True, slots=True)
class AppleFace:
    """The fields of a store card: in the corner, on the strip, and below it."""

    header: Sequence[Field]
    primary: Sequence[Field]
    secondary: Sequence[Field]


def apple_face(content: PassContent, locale: str) -> AppleFace:
    """Read the fields of the Apple pass that this content makes."""
    said = pass_body(content, ApplePassFacts(serial="", auth_token="", locale=locale))["storeCard"]
    header, primary, secondary = (
        tuple(Field(field["label"], field["value"]) for field in said[f"{place}Fields"])
        for place in ("header", "primary", "secondary")
    )
    return AppleFace(header, primary, secondary)


def google_face(content: PassContent, locale: str) -> Sequence[Field]:
    """Read the balances of the Google object that this content makes."""
    facts = CardFacts(
        object_id="", class_id="", locale=locale, stamps_label=texts("stamps"), points_label=texts("points")
    )
    said: Any = object_json(content, facts)  # JSON
    points = (said[name] for name in ("loyaltyPoints", "secondaryLoyaltyPoints") if name in said)
    return tuple(Field(each["label"], next(iter(each["balance"].values()))) for each in points)
