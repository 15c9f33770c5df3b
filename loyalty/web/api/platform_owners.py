"""Owners whom the platform invites by mail."""

from uuid import UUID

from pydantic import Field

from loyalty.domain.values import Admin, RequestKey, Scope
from loyalty.services import platform_vendors
from loyalty.web.access import now
from loyalty.web.api.operations import operation
from loyalty.web.api.platform_vendors import VENDOR
from loyalty.web.api.schemas import NO_NUL, Answer, Body


class OwnerBody(Body):
    """Whom to invite."""

    email: str = Field(min_length=3, max_length=254, pattern=NO_NUL, examples=["ada@bakery.example"])


class OwnerInvited(Answer):
    """An invitation is on its way; it works once, for a week."""

    invitation_id: UUID
    email: str = Field(examples=["ada@bakery.example"])


@operation(
    "POST",
    f"{VENDOR}/owners",
    scope=Scope.PLATFORM,
    body=OwnerBody,
    answers=OwnerInvited,
    status=201,
    limit_to=20,
    tag="Platform",
)
def invite_owner(admin: Admin, vendor_id: UUID, body: OwnerBody, key: RequestKey) -> OwnerInvited:
    """Invite another owner by mail, or the first one again: an older invitation to the same address ends."""
    return OwnerInvited.of(
        platform_vendors.invite_owner(admin=admin, vendor_id=vendor_id, email=body.email, at=now(), key=key)
    )
