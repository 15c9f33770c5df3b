"""The policy of a shop: what the platform has decided for it."""

from typing import Literal

from pydantic import Field

from loyalty.domain.values import Actor, Scope
from loyalty.services import policies
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import Answer

PinPolicy = Literal["required", "optional", "disabled"]


class Policy(Answer):
    """What the platform has decided for a shop."""

    staff_pin_policy: PinPolicy = Field(
        description="Whether the till asks for PINs; with `optional` the program's `require_staff_pin` decides."
    )
    pin_lockout_attempts: int = Field(examples=[5], description="Wrong PINs that are free, before waits begin.")
    pin_lockout_minutes: int = Field(examples=[30], description="The longest of these waits.")
    allow_self_enrollment: bool = Field(description="Whether customers may join by themselves.")
    allow_void_transactions: bool
    allow_cross_store_redemption: bool = Field(
        description="Whether rewards are given at stores other than the card's own."
    )
    require_order_reference: bool = Field(description="Whether every purchase needs an `order_reference`.")
    log_ip_addresses: bool = Field(description="Whether the history keeps addresses of the network.")


@operation("GET", "/vendor/loyalty/policy", scope=Scope.READ, answers=Policy, tag="Policy")
def get_policy(actor: Actor) -> Policy:
    """Get the shop's policy; only the platform changes it."""
    return Policy.of(policies.get(actor=actor))
