"""The vendors of the platform."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from loyalty.domain.bounds import NAME_LENGTH
from loyalty.domain.values import Admin, Position, RequestKey, Scope
from loyalty.services import platform_vendors
from loyalty.services.platform_vendors import VendorStatus
from loyalty.web.access import now
from loyalty.web.api.operations import operation
from loyalty.web.api.paging import Page, PageQuery, fill_page
from loyalty.web.api.schemas import NO_NUL, Answer, Body, Code

VENDORS = "/admin/loyalty/vendors"
VENDOR = f"{VENDORS}/{{vendor_id}}"

Status = Literal["active", "suspended"]
Locale = Literal["en", "fr", "de", "lb"]
Contact = Literal["email", "phone"]


class VendorBody(Body):
    """A new vendor, its first store, and who owns it."""

    name: str = Field(min_length=1, max_length=NAME_LENGTH, pattern=NO_NUL, examples=["Ada's Bakery"])
    code: str | None = Field(
        default=None,
        min_length=2,
        max_length=40,
        pattern=NO_NUL,
        examples=["bakery"],
        description="The word in its addresses: 2 to 40 small letters, digits and hyphens; made of the name where it "
        "is left out. It stays.",
    )
    store_name: str = Field(min_length=1, max_length=NAME_LENGTH, pattern=NO_NUL, examples=["Main Street"])
    owner_email: str = Field(
        min_length=3,
        max_length=254,
        pattern=NO_NUL,
        examples=["ada@bakery.example"],
        description="With a password nobody may sign in with it yet; an invitation is for anybody.",
    )
    owner_access: Literal["password", "invitation"] = Field(
        default="password",
        description="By a first password, shown once in this answer, or by a mailed link that works once and for a "
        "week: the owner chooses a password that nobody else sees.",
    )
    locale: Locale = "en"
    timezone: str = Field(default="Europe/Luxembourg", max_length=64, pattern=NO_NUL)
    country: str = Field(default="LU", max_length=2, pattern=NO_NUL, description="Two letters of ISO 3166.")
    currency: str = Field(
        default="EUR", max_length=3, pattern=NO_NUL, description="Three letters of ISO 4217. It stays."
    )


class VendorChange(Body):
    """What changes of a vendor; what is left out stays. Code and currency always stay."""

    name: str | None = Field(default=None, min_length=1, max_length=NAME_LENGTH, pattern=NO_NUL, examples=["Ada"])
    locale: Locale | None = None
    timezone: str | None = Field(default=None, max_length=64, pattern=NO_NUL, examples=["Europe/Luxembourg"])
    country: str | None = Field(default=None, max_length=2, pattern=NO_NUL, examples=["LU"])
    contact_field: Contact | None = Field(default=None, description="What joining asks for.")
    confirm_address: bool | None = Field(default=None, description="Whether an address is confirmed before joining.")
    ask_name: bool | None = None
    ask_birthday: bool | None = None
    ask_marketing: bool | None = None
    pin_length: Literal[4, 6] | None = Field(default=None, description="Of PINs that are made from now on.")


class Vendor(Answer):
    """A vendor with its settings."""

    vendor_id: UUID
    code: str = Field(examples=["bakery"])
    name: str = Field(examples=["Ada's Bakery"])
    status: Status
    locale: Locale
    timezone: str = Field(examples=["Europe/Luxembourg"])
    country: str = Field(examples=["LU"])
    currency: str = Field(examples=["EUR"])
    contact_field: Contact
    confirm_address: bool
    ask_name: bool
    ask_birthday: bool
    ask_marketing: bool
    pin_length: Literal[4, 6]
    created_at: datetime


class Vendors(Page[Vendor]):
    """Vendors, the newest first."""


class VendorsQuery(PageQuery):
    """Which vendors."""

    status: Status | None = None
    code: Code | None = Field(default=None, examples=["bakery"])


class VendorOpened(Answer):
    """A new vendor. Its program sleeps until the owner activates it."""

    vendor_id: UUID
    code: str = Field(examples=["bakery"])
    store_id: UUID
    store_code: str = Field(examples=["main"])
    program_id: UUID
    owner_password: str | None = Field(
        examples=["VhX2cQ8pZ0mB4yTn9aLk"],
        description="The owner's first one; null where it was shown before, and where the owner is invited.",
    )
    secret_shown: bool = Field(examples=[False], description="Whether it was shown before.")


class VendorChanged(Answer):
    """Which of the settings differ now."""

    vendor_id: UUID
    changed: list[str] = Field(examples=[["name"]])


class VendorState(Answer):
    """Whether a vendor is at work."""

    vendor_id: UUID
    code: str = Field(examples=["bakery"])
    status: Status


@operation("GET", VENDORS, scope=Scope.PLATFORM, query=VendorsQuery, answers=Vendors, tag="Platform")
def list_vendors(admin: Admin, query: VendorsQuery) -> Vendors:
    """List the vendors, the newest first."""
    rows = platform_vendors.list_page(
        admin=admin, status=query.status, code=query.code, after=query.after, limit=query.most
    )
    return fill_page(Vendors, query, rows, item=Vendor.of, position=_position)


@operation(
    "POST",
    VENDORS,
    scope=Scope.PLATFORM,
    body=VendorBody,
    answers=VendorOpened,
    status=201,
    tag="Platform",
    renamed={"email": "owner_email"},
)
def create_vendor(admin: Admin, body: VendorBody, key: RequestKey) -> VendorOpened:
    """Open a vendor with its first store and an owner: who is invited, or has a password that is shown this once."""
    details, owner = body.model_dump(exclude={"owner_email", "owner_access"}), body.owner_email
    if body.owner_access == "invitation":
        made = platform_vendors.create_by_invitation(admin=admin, details=details, owner_email=owner, at=now(), key=key)
    else:
        made = platform_vendors.create(admin=admin, details=details, owner_email=owner, key=key)
    shown_before = body.owner_access == "password" and made.owner_password is None
    return VendorOpened.of(made, secret_shown=shown_before)


@operation("GET", VENDOR, scope=Scope.PLATFORM, answers=Vendor, tag="Platform")
def get_vendor(admin: Admin, vendor_id: UUID) -> Vendor:
    """Get one vendor."""
    return Vendor.of(platform_vendors.get(admin=admin, vendor_id=vendor_id))


@operation("PATCH", VENDOR, scope=Scope.PLATFORM, body=VendorChange, answers=VendorChanged, tag="Platform")
def change_vendor(admin: Admin, vendor_id: UUID, body: VendorChange, key: RequestKey) -> VendorChanged:
    """Change a vendor's own settings."""
    changes = body.model_dump(exclude_unset=True)
    return VendorChanged.of(platform_vendors.change(admin=admin, vendor_id=vendor_id, changes=changes, key=key))


@operation("POST", f"{VENDOR}/suspend", scope=Scope.PLATFORM, answers=VendorState, tag="Platform")
def suspend_vendor(admin: Admin, vendor_id: UUID, key: RequestKey) -> VendorState:
    """Close a vendor's tills, API and joining; cards and passes stay readable."""
    return _state(platform_vendors.suspend, admin, vendor_id, key)


@operation("POST", f"{VENDOR}/resume", scope=Scope.PLATFORM, answers=VendorState, tag="Platform")
def resume_vendor(admin: Admin, vendor_id: UUID, key: RequestKey) -> VendorState:
    """Let a suspended vendor work again."""
    return _state(platform_vendors.resume, admin, vendor_id, key)


def _state(command: Callable[..., VendorStatus], admin: Admin, vendor_id: UUID, key: RequestKey) -> VendorState:
    return VendorState.of(command(admin=admin, vendor_id=vendor_id, key=key))


def _position(row: platform_vendors.PlatformVendor) -> Position:
    return Position(row.created_at, row.vendor_id)
