"""Fields that describe a customer, and the addresses of a card, wherever a card is made."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from loyalty.domain.bounds import NAME_LENGTH
from loyalty.services.enrolment import JoinForm
from loyalty.web.api.schemas import NO_NUL, Answer

Email = Annotated[str, Field(max_length=254, pattern=NO_NUL, examples=["cleo@example.org"])]
Phone = Annotated[
    str,
    Field(
        max_length=40,
        pattern=NO_NUL,
        examples=["+352621123456"],
        description="With its country code; without one it is read as a number of the shop's country.",
    ),
]
Name = Annotated[str, Field(max_length=NAME_LENGTH, pattern=NO_NUL, examples=["Cleo Martin"])]
BirthDate = Annotated[date, Field(examples=["1990-03-24"])]
Locale = Annotated[
    Literal["en", "fr", "de", "lb"],
    Field(examples=["fr"], description="In which mails and passes speak; the shop's where it is left out."),
]


class CardLinks(Answer):
    """A card, where its customer sees it, and where it is saved in a wallet."""

    card_number: str = Field(examples=["4812037753"])
    scan_code: str = Field(examples=["BCDFGHJKNPRSTVXN"], description="What the card's QR code holds.")
    card_url: str = Field(
        examples=["https://cards.example.com/card/5Vw0OqkXw2yXnT1dRrJzAg"],
        description="The card's page. Whoever has the address sees the card.",
    )
    apple_pass_url: str | None = Field(
        examples=["https://cards.example.com/api/v1/loyalty/passes/apple/9sJ2.pkpass?token=5Vw0OqkXw2yXnT1dRrJzAg"],
        description="Null where Apple Wallet is not configured, and for a deactivated card.",
    )
    google_save_url: str | None = Field(
        examples=["https://cards.example.com/card/5Vw0OqkXw2yXnT1dRrJzAg/google"],
        description="Null where Google Wallet is not configured, and for a deactivated card.",
    )


def form_of(person: Any) -> JoinForm:  # a body with these fields
    """Return what a body says of a person as the join page's form."""
    return JoinForm(
        email=person.email or "",
        phone=person.phone or "",
        name=person.name or "",
        birth_date=person.birth_date,
        marketing_consent=person.marketing_consent,
        accept_terms=person.accept_terms,
    )
