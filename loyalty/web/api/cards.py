"""Cards: made, listed, found, closed and opened again."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from loyalty.domain.values import Actor, CardRef, Position, RequestKey, Scope
from loyalty.errors import N_, CardInactive, CardNotFound, CardReplaced, ProgramInactive, ProgramNotFound
from loyalty.services import card_records, cards, enrolment, links
from loyalty.services.card_records import CardRecord
from loyalty.web.api.naming import WithPin, given, read_card
from loyalty.web.api.operations import operation
from loyalty.web.api.paging import Page, PageQuery, fill_page
from loyalty.web.api.people import BirthDate, CardLinks, Email, Locale, Name, Phone, form_of
from loyalty.web.api.schemas import NO_NUL, Answer, Body, Code
from loyalty.web.api.till import Done, Reason
from loyalty.web.sentences import gettext

_ONE_OF = N_("Name the card by exactly one of card_number, scan_code, phone and email.")
_PERSON: JsonDict = {"email": "cleo@example.org", "name": "Cleo Martin", "locale": "fr", "accept_terms": True}
Search = Annotated[str, Field(max_length=120, pattern=NO_NUL, examples=["Cleo"])]


class EnrolBody(WithPin):
    """A customer who gets a card; every field may be left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PERSON]})

    email: Email | None = None
    phone: Phone | None = None
    name: Name | None = None
    birth_date: BirthDate | None = None
    locale: Locale | None = None
    accept_terms: bool = Field(
        default=True, description="The customer has seen the terms and agrees; false is refused."
    )
    marketing_consent: bool = False


class LookupBody(Body):
    """Which card: exactly one of these."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"card_number": "4812037753"}],
            "oneOf": [given(name) for name in ("card_number", "scan_code", "phone", "email")],
        }
    )

    card_number: Code | None = Field(default=None, description="The number below the QR code; spaces do not matter.")
    scan_code: Code | None = Field(default=None, description="What the card's QR code holds, as it was scanned.")
    phone: Phone | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def check_one(self) -> Self:
        """Refuse none and more than one."""
        if sum(name is not None for name in (self.card_number, self.scan_code, self.phone, self.email)) != 1:
            raise PydanticCustomError("own", _ONE_OF, {"field": "card_number"})
        return self


class CardsQuery(PageQuery):
    """Which cards."""

    search: Search = Field(
        default="", description="The beginning of a name or of a number. For e-mail and phone there is cards/lookup."
    )
    is_active: bool | None = None


class SwitchBody(WithPin):
    """Why a card is closed or opened."""

    reason: Reason


class CardHolder(Answer):
    """Whose card it is."""

    customer_id: UUID
    name: str | None = Field(examples=["Cleo Martin"])
    email: str | None = Field(examples=["cleo@example.org"])
    phone: str | None = Field(examples=["+352621123456"])
    birth_date: date | None
    locale: str = Field(examples=["fr"])
    marketing_consent: bool = Field(examples=[False])


class Card(Answer):
    """A card with its balances and its holder."""

    card_id: UUID
    card_number: str = Field(examples=["4812037753"])
    scan_code: str = Field(examples=["BCDFGHJKNPRSTVXN"])
    card_url: str = Field(examples=["https://cards.example.com/card/5Vw0OqkXw2yXnT1dRrJzAg"])
    is_active: bool
    created_at: datetime
    enrolled_at_store_id: UUID | None
    stamp_count: int = Field(examples=[7])
    total_stamps_earned: int = Field(examples=[27])
    stamps_redeemed: int = Field(examples=[2], description="How many times.")
    points_balance: int = Field(examples=[640])
    total_points_earned: int = Field(examples=[1890])
    points_redeemed: int = Field(examples=[1250])
    total_points_voided: int = Field(examples=[0])
    last_stamp_at: datetime | None
    last_points_at: datetime | None
    last_redemption_at: datetime | None
    last_activity_at: datetime | None
    customer: CardHolder


class Cards(Page[Card]):
    """Cards, newest first."""


class CardMade(CardLinks):
    """The new card."""

    card_id: UUID
    created: bool = Field(examples=[True], description="Whether the card is new.")
    stamp_count: int = Field(examples=[0])
    points_balance: int = Field(examples=[0])


class CardKnown(CardMade):
    """The card that the customer has already."""


class CardSwitched(Done):
    """The card after it was closed or opened; no transaction where it already was."""

    is_active: bool


@operation(
    "POST",
    "/vendor/loyalty/cards",
    scope=Scope.TILL,
    body=EnrolBody,
    answers={200: CardKnown, 201: CardMade},
    errors=(ProgramNotFound, ProgramInactive),
    limit_to=60,
    tag="Cards",
)
def enrol(actor: Actor, body: EnrolBody, key: RequestKey) -> CardMade:
    """Make a card for a customer, or find the one that a known customer has (200). No PIN is asked for."""
    enrolled = enrolment.enrol_at_counter(
        actor=actor, form=form_of(body), locale=body.locale, key=key, approval=body.approval
    )
    card = card_records.get(actor=actor, card_id=enrolled.card_id)
    ways = card_records.addresses(public_token=card.public_token, is_active=card.is_active)
    kind = CardMade if enrolled.created else CardKnown
    return kind.of(
        enrolled,
        card_number=card.card_number,
        scan_code=card.scan_code,
        card_url=ways.card_url,
        apple_pass_url=ways.apple_pass_url,
        google_save_url=ways.google_save_url,
    )


@operation("GET", "/vendor/loyalty/cards", scope=Scope.READ, query=CardsQuery, answers=Cards, tag="Cards")
def list_cards(actor: Actor, query: CardsQuery) -> Cards:
    """List cards, newest first."""
    rows = card_records.list_page(
        actor=actor, text=query.search, is_active=query.is_active, after=query.after, limit=query.most
    )
    return fill_page(Cards, query, rows, item=_card, position=_position)


@operation(
    "POST",
    "/vendor/loyalty/cards/lookup",
    scope=Scope.READ,
    body=LookupBody,
    answers=Card,
    errors=(CardNotFound, CardReplaced),
    writes=False,
    tag="Cards",
)
def look_up_card(actor: Actor, body: LookupBody) -> Card:
    """Find a card by its number, its code, or its holder's phone or e-mail: the active one, else the newest."""
    if body.email is not None or body.phone is not None:
        return _card(card_records.find(actor=actor, email=body.email, phone=body.phone))
    named = read_card(scan_code=body.scan_code, card_number=body.card_number)
    return _card(card_records.find(actor=actor, card=named))


@operation(
    "GET", "/vendor/loyalty/cards/{card_id}", scope=Scope.READ, answers=Card, errors=(CardNotFound,), tag="Cards"
)
def get_card(actor: Actor, card_id: UUID) -> Card:
    """Get one card."""
    return _card(card_records.get(actor=actor, card_id=card_id))


@operation(
    "POST",
    "/vendor/loyalty/cards/{card_id}/deactivate",
    scope=Scope.TILL,
    body=SwitchBody,
    answers=CardSwitched,
    errors=(CardNotFound,),
    limit_to=20,
    tag="Cards",
)
def deactivate_card(actor: Actor, card_id: UUID, body: SwitchBody, key: RequestKey) -> CardSwitched:
    """Close a card, its balance stays: with scope manage, or with a manager's PIN."""
    done = cards.deactivate(
        actor=actor, card=CardRef(card_id=card_id), reason=body.reason, key=key, approval=body.approval
    )
    return CardSwitched.of(
        done, message=gettext("The card is deactivated. Its balance stays, and you can activate it again.")
    )


@operation(
    "POST",
    "/vendor/loyalty/cards/{card_id}/reactivate",
    scope=Scope.TILL,
    body=SwitchBody,
    answers=CardSwitched,
    errors=(CardNotFound, CardInactive),
    limit_to=20,
    tag="Cards",
)
def reactivate_card(actor: Actor, card_id: UUID, body: SwitchBody, key: RequestKey) -> CardSwitched:
    """Open a closed card again: with scope manage, or with a manager's PIN."""
    done = cards.reactivate(
        actor=actor, card=CardRef(card_id=card_id), reason=body.reason, key=key, approval=body.approval
    )
    return CardSwitched.of(done, message=gettext("The card is active again."))


def _card(record: CardRecord) -> Card:
    return Card.of(record, card_url=links.card(record.public_token), customer=CardHolder.of(record))


def _position(record: CardRecord) -> Position:
    return Position(record.created_at, record.card_id)
