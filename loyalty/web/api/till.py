"""What all answers of the till share."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from loyalty.domain import bounds, reasons
from loyalty.web.api.schemas import NO_NUL, Answer

Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=reasons.MOST_LETTERS,
        pattern=NO_NUL,
        examples=["Wrong card"],
        description="Why; it stands in the history.",
    ),
]
Delta = Annotated[int, Field(ge=-bounds.ADJUSTMENT, le=bounds.ADJUSTMENT, examples=[2], description="Not 0.")]


class Done(Answer):
    """What happened, in words for the person at the counter, and to which card."""

    success: Literal[True] = True
    message: str = Field(examples=["1 stamp added."], description="In the language of Accept-Language, else English.")
    card_id: UUID
    card_number: str = Field(examples=["4812037753"])
    store_id: UUID | None
    transaction_id: UUID | None


class Voided(Done):
    """What was taken back, one transaction for each original, the newest first."""

    transaction_id: UUID | None = Field(description="The last one written; null where there was nothing to take.")
    transaction_ids: list[UUID]
    shortfall: int = Field(
        examples=[0], description="What the balance did not hold any more; it can still be taken back later."
    )
