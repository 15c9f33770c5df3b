"""Fields that many bodies share: which card, at which store, and whose PIN."""

from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from loyalty.domain.codes import read_code
from loyalty.domain.values import CardRef
from loyalty.errors import N_, CardNotFound
from loyalty.services.till import Approval
from loyalty.web.api.schemas import Body, Code

_ONE_OF = N_("Name the card by exactly one of card_id, scan_code and card_number.")
_NAMES = ("card_id", "scan_code", "card_number")


def given(name: str) -> dict[str, JsonValue]:
    """Say in the description what `check_card` asks for."""
    return {"required": [name], "properties": {name: {"type": "string"}}}


class AtStore(Body):
    """A body that may say at which store it happens."""

    store_code: Code | None = Field(
        default=None,
        examples=["main"],
        description="The store where this happens. Without it: the only open store where the key may be used, "
        "else no store is noted.",
    )


class WithPin(AtStore):
    """A body that may carry somebody's PIN, which is verified first, whatever the shop's policy."""

    staff_pin: Code | None = Field(
        default=None, repr=False, examples=["482913"], description="The PIN of the person who does this."
    )
    staff_id: UUID | None = Field(
        default=None, description="Whose PIN it is. Without it the PIN is looked for among all of the shop's."
    )

    @property
    def approval(self) -> Approval | None:
        """The PIN that came along, None where none did."""
        return Approval(self.staff_pin, self.staff_id) if self.staff_pin else None


class NamesCard(WithPin):
    """A body that names a card by exactly one of three."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [given(name) for name in _NAMES]})

    card_id: UUID | None = Field(
        default=None,
        description="The card's id, as another answer gave it. It stays the same when the card is replaced: "
        "send the code that was shown, so that an old one is refused.",
    )
    scan_code: Code | None = Field(
        default=None, examples=["BCDFGHJKNPRSTVXN"], description="What the card's QR code holds, as it was scanned."
    )
    card_number: Code | None = Field(
        default=None, examples=["4812037753"], description="The number below the QR code; spaces do not matter."
    )

    @model_validator(mode="after")
    def check_card(self) -> Self:
        """Refuse none and more than one."""
        if sum(getattr(self, name) is not None for name in _NAMES) != 1:
            raise PydanticCustomError("own", _ONE_OF, {"field": "card_id"})
        return self

    @property
    def card(self) -> CardRef:
        """The card as services know it."""
        if self.card_id is not None:
            return CardRef(card_id=self.card_id)
        return read_card(scan_code=self.scan_code, card_number=self.card_number)


def read_card(*, scan_code: str | None, card_number: str | None) -> CardRef:
    """Return the card that one of the two names; what can be no code of ours is no card of this shop."""
    read = read_code(scan_code or card_number or "")
    if read is None or (read.scan_code is None) != (scan_code is None):
        raise CardNotFound
    return read
