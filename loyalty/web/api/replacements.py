"""Cards that were lost or copied."""

from uuid import UUID

from pydantic import Field

from loyalty.domain.values import Actor, CardRef, RequestKey, Scope
from loyalty.errors import CardInactive, CardNotFound
from loyalty.services import card_records, replacements
from loyalty.web.api.cards import SwitchBody
from loyalty.web.api.operations import operation
from loyalty.web.api.people import CardLinks
from loyalty.web.sentences import gettext


class CardRenewed(CardLinks):
    """The card under its new codes."""

    message: str = Field(examples=["The card is replaced: only the new number and code are valid."])
    card_id: UUID
    old_card_number: str = Field(examples=["4812037753"])
    mailed: bool = Field(examples=[True], description="Whether the customer is mailed the new link.")


@operation(
    "POST",
    "/vendor/loyalty/cards/{card_id}/replace",
    scope=Scope.MANAGE,
    body=SwitchBody,
    answers=CardRenewed,
    errors=(CardNotFound, CardInactive),
    limit_to=20,
    tag="Cards",
)
def replace_card(actor: Actor, card_id: UUID, body: SwitchBody, key: RequestKey) -> CardRenewed:
    """Give a lost or copied card a new number and code: its balance stays, the old ones and their passes end."""
    done = replacements.replace(
        actor=actor, card=CardRef(card_id=card_id), reason=body.reason, key=key, approval=body.approval
    )
    card = card_records.get(actor=actor, card_id=done.card_id)
    ways = card_records.addresses(public_token=card.public_token, is_active=card.is_active)
    return CardRenewed.of(
        done,
        message=gettext("The card is replaced: only the new number and code are valid."),
        card_number=card.card_number,
        scan_code=card.scan_code,
        card_url=ways.card_url,
        apple_pass_url=ways.apple_pass_url,
        google_save_url=ways.google_save_url,
    )
