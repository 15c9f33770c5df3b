"""Rewards that points buy; each keeps its id for ever, and history keeps the name and price that it had."""

from typing import Annotated, Any

from pydantic import Field

from loyalty.domain import bounds
from loyalty.domain.values import Actor, RequestKey, Scope
from loyalty.errors import ProgramNotFound
from loyalty.services import rewards
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import NO_NUL, Answer, Body

Name = Annotated[str, Field(max_length=bounds.NAME_LENGTH, pattern=NO_NUL, examples=["Croissant"])]
Description = Annotated[str, Field(max_length=bounds.URL_LENGTH, pattern=NO_NUL, examples=["Fresh every morning"])]
_POINTS, _CENTS = bounds.REWARD["points_required"], bounds.REWARD["value_cents"]
Price = Annotated[int, Field(ge=_POINTS[0], le=_POINTS[1], examples=[150])]
Worth = Annotated[int, Field(ge=_CENTS[0], le=_CENTS[1], examples=[180])]
_WORTH = "What it is worth, in minor units of the shop's currency."
_IN_OTHERS = {"name_en": "en", "name_fr": "fr", "name_de": "de", "name_lb": "lb"}
_RENAMED = {setting: f"names.{locale}" for setting, locale in _IN_OTHERS.items()}


def _left_out() -> Any:  # the value of a field of any type that was not sent
    return None


class Names(Body):
    """What a reward is called in other languages; "" takes a name out."""

    en: Name = Field(default_factory=_left_out)
    fr: Name = Field(default_factory=_left_out)
    de: Name = Field(default_factory=_left_out)
    lb: Name = Field(default_factory=_left_out)


class RewardBody(Body):
    """A new reward."""

    name: Name
    points_required: Price
    value_cents: Worth | None = Field(default=None, description=_WORTH)
    description: Description = ""
    names: Names = Field(default_factory=Names)


class RewardChange(Body):
    """What changes of a reward; what is left out stays."""

    name: Name = Field(default_factory=_left_out)
    points_required: Price = Field(default_factory=_left_out)
    value_cents: Worth | None = Field(default_factory=_left_out, description=_WORTH)
    description: Description = Field(default_factory=_left_out)
    names: Names = Field(default_factory=Names)


class Reward(Answer):
    """A reward."""

    reward_id: str = Field(examples=["rw-7kq2m4x9ad"])
    name: str = Field(examples=["Croissant"])
    points_required: int = Field(examples=[150])
    value_cents: int | None = Field(examples=[180], description=_WORTH)
    description: str = Field(examples=["Fresh every morning"])
    active: bool = Field(description="Whether it is on offer.")
    names: dict[str, str] = Field(examples=[{"fr": "Croissant au beurre"}], description="In other languages.")


class RewardDone(Reward):
    """The reward after a command."""


class Rewards(Answer):
    """All rewards, in the order of the office; those on offer first."""

    items: list[Reward]


@operation("GET", "/vendor/loyalty/rewards", scope=Scope.READ, answers=Rewards, tag="Rewards")
def list_rewards(actor: Actor) -> Rewards:
    """List all rewards, also those that are no longer on offer."""
    return Rewards(items=[Reward.of(row) for row in rewards.list_all(actor=actor)])


@operation(
    "POST",
    "/vendor/loyalty/rewards",
    scope=Scope.MANAGE,
    body=RewardBody,
    answers=RewardDone,
    status=201,
    errors=(ProgramNotFound,),
    tag="Rewards",
    renamed=_RENAMED,
)
def create_reward(actor: Actor, body: RewardBody, key: RequestKey) -> RewardDone:
    """Put a new reward on offer."""
    return RewardDone.of(rewards.create(actor=actor, details=_details(body), key=key))


@operation("GET", "/vendor/loyalty/rewards/{reward_id}", scope=Scope.READ, answers=Reward, tag="Rewards")
def get_reward(actor: Actor, reward_id: str) -> Reward:
    """Get one reward."""
    return Reward.of(rewards.get(actor=actor, reward_id=reward_id))


@operation(
    "PATCH",
    "/vendor/loyalty/rewards/{reward_id}",
    scope=Scope.MANAGE,
    body=RewardChange,
    answers=RewardDone,
    tag="Rewards",
    renamed=_RENAMED,
)
def change_reward(actor: Actor, reward_id: str, body: RewardChange, key: RequestKey) -> RewardDone:
    """Change a reward; what was redeemed before keeps the name and price that it had then."""
    return RewardDone.of(rewards.change(actor=actor, reward_id=reward_id, details=_details(body), key=key))


@operation("DELETE", "/vendor/loyalty/rewards/{reward_id}", scope=Scope.MANAGE, answers=RewardDone, tag="Rewards")
def remove_reward(actor: Actor, reward_id: str, key: RequestKey) -> RewardDone:
    """Take a reward off the offer; it stays in the history and can be put back."""
    return RewardDone.of(rewards.deactivate(actor=actor, reward_id=reward_id, key=key))


@operation(
    "POST", "/vendor/loyalty/rewards/{reward_id}/reactivate", scope=Scope.MANAGE, answers=RewardDone, tag="Rewards"
)
def reactivate_reward(actor: Actor, reward_id: str, key: RequestKey) -> RewardDone:
    """Put a reward on offer again, under the same id."""
    return RewardDone.of(rewards.reactivate(actor=actor, reward_id=reward_id, key=key))


def _details(body: RewardBody | RewardChange) -> dict[str, object]:
    """Return what was sent, by the names of the service's settings."""
    sent = body.model_dump(exclude_unset=True)
    names = sent.pop("names", {})
    return {**sent, **{setting: names[locale] for setting, locale in _IN_OTHERS.items() if locale in names}}
