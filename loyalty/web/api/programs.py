"""The shop's program: its settings, and whether it runs."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from loyalty.domain import bounds
from loyalty.domain.values import Actor, LoyaltyType, RequestKey, Scope
from loyalty.errors import ProgramExists, ProgramNotFound
from loyalty.services import programs
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import NO_NUL, Answer, Body


def _left_out() -> Any:  # the value of a field of any type that was not sent
    return None


def _number(name: str, example: int, about: str | None = None) -> Any:  # what pydantic calls a field, of any type
    least, most = bounds.PROGRAM[name]
    return Field(default_factory=_left_out, ge=least, le=most, examples=[example], description=about)


def _text(longest: int, example: str, about: str | None = None) -> Any:  # as above
    return Field(default_factory=_left_out, max_length=longest, pattern=NO_NUL, examples=[example], description=about)


_UNIT = "Per unit of the shop's currency."
_CENTS = "In minor units of the shop's currency."
_OWN = "The address of a picture that was uploaded in the office, as this API gave it; null takes it away."


class ProgramSettings(Body):
    """Settings of the program; what is left out stays as it is."""

    loyalty_type: LoyaltyType = Field(default_factory=_left_out, examples=["hybrid"])
    stamps_target: int = _number("stamps_target", 10)
    stamps_reward_description: str = _text(bounds.NAME_LENGTH, "Free coffee")
    stamps_reward_value_cents: int | None = _number("stamps_reward_value_cents", 350, _CENTS)
    max_stamps_per_action: int = _number("max_stamps_per_action", 1)
    welcome_stamps: int = _number("welcome_stamps", 0)
    points_per_euro: int = _number("points_per_euro", 10, _UNIT)
    minimum_purchase_cents: int = _number("minimum_purchase_cents", 0, _CENTS)
    minimum_redemption_points: int = _number("minimum_redemption_points", 0)
    welcome_bonus_points: int = _number("welcome_bonus_points", 0)
    points_expiration_days: int | None = _number(
        "points_expiration_days", 365, "Without earning or redeeming; null: points never expire."
    )
    cooldown_minutes: int = _number("cooldown_minutes", 15)
    max_daily_stamps: int = _number("max_daily_stamps", 5)
    require_staff_pin: bool = Field(
        default_factory=_left_out, examples=[True], description="Counts where the platform leaves PINs to the shop."
    )
    card_name: str = _text(bounds.CARD_NAME_LENGTH, "Bakery Card")
    card_color: str = _text(7, "#4F46E5")
    card_secondary_color: str | None = _text(7, "#1F2937")
    logo_url: str | None = _text(bounds.URL_LENGTH, "/images/0123456789abcdef0123456789abcdef.png", _OWN)
    hero_image_url: str | None = _text(bounds.URL_LENGTH, "/images/0123456789abcdef0123456789abcdef.png", _OWN)
    terms_text: str = _text(bounds.TEXT_LENGTH, "One card per person.")
    privacy_url: str | None = _text(bounds.URL_LENGTH, "https://bakery.example.com/privacy")

    @property
    def sent(self) -> dict[str, object]:
        """The settings that were sent, by name."""
        return self.model_dump(mode="json", exclude_unset=True)


class Program(Answer):
    """The program with all its settings."""

    program_id: UUID
    vendor_name: str = Field(examples=["Bakery"])
    currency: str = Field(examples=["EUR"])
    is_active: bool
    activated_at: datetime | None = Field(description="When it first was activated.")
    closes_on: date | None = Field(description="The last day for redeeming, once the end was announced.")
    loyalty_type: LoyaltyType = Field(examples=["hybrid"])
    stamps_target: int = Field(examples=[10])
    stamps_reward_description: str = Field(examples=["Free coffee"])
    stamps_reward_value_cents: int | None = Field(examples=[350])
    max_stamps_per_action: int = Field(examples=[1])
    welcome_stamps: int = Field(examples=[0])
    points_per_euro: int = Field(examples=[10], description=_UNIT)
    minimum_purchase_cents: int = Field(examples=[0])
    minimum_redemption_points: int = Field(examples=[0])
    welcome_bonus_points: int = Field(examples=[0])
    points_expiration_days: int | None = Field(examples=[365])
    cooldown_minutes: int = Field(examples=[15])
    max_daily_stamps: int = Field(examples=[5])
    require_staff_pin: bool
    card_name: str = Field(examples=["Bakery Card"], description="Cards say Loyalty Card where it is empty.")
    card_color: str = Field(examples=["#4F46E5"])
    card_secondary_color: str | None = Field(examples=["#1F2937"])
    logo_url: str | None = Field(examples=["/images/0123456789abcdef0123456789abcdef.png"])
    hero_image_url: str | None = Field(examples=["/images/0123456789abcdef0123456789abcdef.png"])
    terms_text: str = Field(examples=["One card per person."])
    privacy_url: str | None = Field(examples=["https://bakery.example.com/privacy"])


class ProgramDone(Program):
    """The program after a command."""

    changed: list[str] = Field(examples=[["stamps_target"]], description="The settings that differ now.")


@operation(
    "GET",
    "/vendor/loyalty/program",
    scope=Scope.READ,
    answers=Program,
    errors=(ProgramNotFound,),
    tag="Program",
)
def get_program(actor: Actor) -> Program:
    """Get the program with all its settings."""
    return Program.of(programs.get(actor=actor))


@operation(
    "POST",
    "/vendor/loyalty/program",
    scope=Scope.MANAGE,
    body=ProgramSettings,
    answers=ProgramDone,
    status=201,
    errors=(ProgramExists,),
    tag="Program",
)
def create_program(actor: Actor, body: ProgramSettings, key: RequestKey) -> ProgramDone:
    """Make the program of a shop that has none; it sleeps until it is activated. What is left out gets a usual value.

    Shops get a program when they are made, so this is for those that came another way.
    """
    return ProgramDone.of(programs.create(actor=actor, details=body.sent, key=key))


@operation(
    "PATCH",
    "/vendor/loyalty/program",
    scope=Scope.MANAGE,
    body=ProgramSettings,
    answers=ProgramDone,
    errors=(ProgramNotFound,),
    tag="Program",
)
def change_program(actor: Actor, body: ProgramSettings, key: RequestKey) -> ProgramDone:
    """Change settings, all that were sent or none; cards and balances stay as they are."""
    return ProgramDone.of(programs.change(actor=actor, changes=body.sent, key=key))


@operation(
    "POST",
    "/vendor/loyalty/program/activate",
    scope=Scope.MANAGE,
    answers=ProgramDone,
    errors=(ProgramNotFound,),
    tag="Program",
)
def activate_program(actor: Actor, key: RequestKey) -> ProgramDone:
    """Let the program run."""
    return ProgramDone.of(programs.activate(actor=actor, key=key))


@operation(
    "POST",
    "/vendor/loyalty/program/deactivate",
    scope=Scope.MANAGE,
    answers=ProgramDone,
    errors=(ProgramNotFound,),
    tag="Program",
)
def deactivate_program(actor: Actor, key: RequestKey) -> ProgramDone:
    """Pause the program: nobody joins, nothing is stamped or redeemed; cards stay as they are."""
    return ProgramDone.of(programs.deactivate(actor=actor, key=key))
