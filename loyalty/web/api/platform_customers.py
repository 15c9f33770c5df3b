"""Customers, as far as the platform has to do with them: erasing one."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from loyalty.domain.values import Admin, RequestKey, Scope
from loyalty.services import privacy
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import Answer


class CustomerErased(Answer):
    """What was erased, in numbers that name nobody."""

    customer_id: UUID
    erased_at: datetime
    cards: int = Field(examples=[1], description="Cards that work no more.")
    entries_kept: int = Field(examples=[23], description="Rows of the ledger, which stay without a person.")
    notes: int = Field(examples=[4], description="Rows of the ledger whose notes and addresses of the network went.")
    mails: int = Field(examples=[2])
    confirmations: int = Field(examples=[1], description="Mailed links that were asked for.")
    answers: int = Field(examples=[9], description="Stored answers under idempotency keys.")
    audit_events: int = Field(examples=[0])


@operation(
    "POST",
    "/admin/loyalty/customers/{customer_id}/erase",
    scope=Scope.PLATFORM,
    answers=CustomerErased,
    limit_to=20,
    tag="Platform",
)
def erase_customer(admin: Admin, customer_id: UUID, key: RequestKey) -> CustomerErased:
    """Erase a customer for good, in every table and both wallets; there is no way back."""
    return CustomerErased.of(privacy.erase(actor=admin, customer_id=customer_id, key=key))
