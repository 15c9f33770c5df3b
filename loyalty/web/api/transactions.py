"""Single rows of the ledger: taking one back, whatever it was."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from loyalty.domain.values import Actor, RequestKey, Scope
from loyalty.errors import AlreadyVoided, CardInactive, ProgramInactive, TransactionNotFound, VoidNotAllowed
from loyalty.services import voids
from loyalty.web.api.naming import WithPin
from loyalty.web.api.operations import operation
from loyalty.web.api.till import Reason, Voided
from loyalty.web.sentences import gettext


class VoidTransactionBody(WithPin):
    """Why a transaction is taken back."""

    reason: Reason


class TransactionVoided(Voided):
    """What was taken back or given back, and the balances after it."""

    voided_type: Literal["stamp_earned", "stamp_redeemed", "points_earned", "points_redeemed"]
    stamps_voided: int = Field(examples=[0])
    points_voided: int = Field(examples=[125])
    stamp_count: int = Field(examples=[7])
    points_balance: int = Field(examples=[365])


@operation(
    "POST",
    "/vendor/loyalty/transactions/{transaction_id}/void",
    scope=Scope.TILL,
    body=VoidTransactionBody,
    answers=TransactionVoided,
    errors=(TransactionNotFound, CardInactive, ProgramInactive, VoidNotAllowed, AlreadyVoided),
    limit_to=20,
    tag="Transactions",
)
def void_transaction(
    actor: Actor, transaction_id: UUID, body: VoidTransactionBody, key: RequestKey
) -> TransactionVoided:
    """Take one transaction back whole; of a redemption the stamps or points are given back, once."""
    receipt = voids.void(
        actor=actor, transaction_id=transaction_id, reason=body.reason, key=key, approval=body.approval
    )
    return TransactionVoided.of(receipt, message=gettext("Taken back."), voided_type=receipt.voided_type.value)
