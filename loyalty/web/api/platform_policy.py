"""The policy of a vendor, which the platform decides."""

from uuid import UUID

from pydantic import Field

from loyalty.domain import bounds
from loyalty.domain.values import Admin, RequestKey, Scope
from loyalty.services import policies
from loyalty.web.api.operations import operation
from loyalty.web.api.policy import PinPolicy, Policy
from loyalty.web.api.schemas import Body

POLICY = "/admin/loyalty/vendors/{vendor_id}/policy"
_ATTEMPTS, _MINUTES = bounds.POLICY["pin_lockout_attempts"], bounds.POLICY["pin_lockout_minutes"]


class PolicyChange(Body):
    """What changes of a policy; what is left out stays."""

    staff_pin_policy: PinPolicy | None = None
    pin_lockout_attempts: int | None = Field(default=None, ge=_ATTEMPTS[0], le=_ATTEMPTS[1], examples=[5])
    pin_lockout_minutes: int | None = Field(default=None, ge=_MINUTES[0], le=_MINUTES[1], examples=[30])
    allow_self_enrollment: bool | None = None
    allow_void_transactions: bool | None = None
    allow_cross_store_redemption: bool | None = None
    require_order_reference: bool | None = None
    log_ip_addresses: bool | None = None


@operation("GET", POLICY, scope=Scope.PLATFORM, answers=Policy, tag="Platform")
def get_vendor_policy(admin: Admin, vendor_id: UUID) -> Policy:
    """Get a vendor's policy."""
    return Policy.of(policies.get_of(admin=admin, vendor_id=vendor_id))


@operation("PATCH", POLICY, scope=Scope.PLATFORM, body=PolicyChange, answers=Policy, tag="Platform")
def change_vendor_policy(admin: Admin, vendor_id: UUID, body: PolicyChange, key: RequestKey) -> Policy:
    """Change a vendor's policy; it counts from the next request on."""
    changes = body.model_dump(exclude_unset=True)
    return Policy.of(policies.change(admin=admin, vendor_id=vendor_id, changes=changes, key=key))
