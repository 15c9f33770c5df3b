"""What Google Wallet is told beyond the face of a card: ids, words in every language, places, links."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

# A text in every language it exists in: {"en": "Points", "fr": "Points", …}.
Texts = Mapping[str, str]

_ISSUER = re.compile(r"[0-9]{1,20}", re.ASCII)
_ID = re.compile(r"[0-9]{1,20}\.[A-Za-z0-9._-]{1,180}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a store is, in degrees; phones show the card near it."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An address on the details of a card; `key` tells links of one card apart and never changes."""

    key: str
    address: str
    description: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFacts:
    """A vendor's program as a loyalty class.

    `locale` is the vendor's own language. `logo_url` is public and https: Google fetches it, and demands one.
    `callback_url` is left out where the platform has no public https address.
    """

    class_id: str
    locale: str
    vendor_name: str
    card_name: Texts
    color: str
    logo_url: str
    holder_label: Texts
    number_label: Texts
    hero_image_url: str | None = None
    terms_label: Texts | None = None
    terms_text: str = ""
    links: tuple[Link, ...] = ()
    places: tuple[Place, ...] = ()
    callback_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """A customer's card as a loyalty object, beyond its PassContent.

    `reward_label` and `reward_text` say what the card is collecting for, or that a reward is ready; `expiry_label` and
    `expiry_text` until when points are good that expire soon, the other two until when a program that ends redeems.
    """

    object_id: str
    class_id: str
    locale: str
    stamps_label: Texts
    points_label: Texts
    holder_name: str = ""
    reward_label: Texts | None = None
    reward_text: Texts | None = None
    expiry_label: Texts | None = None
    expiry_text: Texts | None = None
    closing_label: Texts | None = None
    closing_text: Texts | None = None
    hero_image_url: str | None = None
    links: tuple[Link, ...] = ()


def class_id(*, issuer_id: str, program_id: UUID) -> str:
    """Name the class of a program; an id can be neither renamed nor deleted at Google."""
    return f"{_checked(issuer_id)}.program-{program_id.hex}"


def object_id(*, issuer_id: str, card_id: UUID) -> str:
    """Name the object of a card."""
    return f"{_checked(issuer_id)}.card-{card_id.hex}"


def is_id(*, text: str, issuer_id: str) -> bool:
    """Whether this can be the id of a class or object of this issuer."""
    return _ID.fullmatch(text) is not None and text.startswith(f"{issuer_id}.")


def _checked(issuer_id: str) -> str:
    if not _ISSUER.fullmatch(issuer_id):
        raise ValueError(f"An issuer id is a number, not {issuer_id!r}.")
    return issuer_id
