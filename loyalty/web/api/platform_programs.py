"""The programs of all vendors."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from loyalty.domain.values import Admin, Position, Scope
from loyalty.errors import ProgramNotFound
from loyalty.services import platform_programs
from loyalty.web.api.operations import operation
from loyalty.web.api.paging import Page, PageQuery, fill_page
from loyalty.web.api.schemas import Answer, Code

PROGRAMS = "/admin/loyalty/programs"


class ListedProgram(Answer):
    """A program, and whose it is."""

    program_id: UUID
    vendor_id: UUID
    vendor_code: str = Field(examples=["bakery"])
    vendor_name: str = Field(examples=["Ada's Bakery"])
    vendor_status: Literal["active", "suspended"]
    loyalty_type: Literal["stamps", "points", "hybrid"]
    card_name: str = Field(examples=["Bakery Card"])
    is_active: bool
    activated_at: datetime | None = Field(description="When it was activated first.")
    created_at: datetime


class ListedPrograms(Page[ListedProgram]):
    """Programs, the newest first."""


class PlatformProgram(ListedProgram):
    """A program with all its settings. Money is in minor units of `currency`."""

    currency: str = Field(examples=["EUR"])
    stamps_target: int = Field(examples=[10])
    stamps_reward_description: str = Field(examples=["Free coffee"])
    stamps_reward_value_cents: int | None = Field(examples=[350])
    max_stamps_per_action: int = Field(examples=[1])
    welcome_stamps: int = Field(examples=[0])
    points_per_euro: int = Field(examples=[10], description="Per unit of the currency.")
    minimum_purchase_cents: int = Field(examples=[0])
    minimum_redemption_points: int = Field(examples=[0])
    welcome_bonus_points: int = Field(examples=[0])
    points_expiration_days: int | None = Field(examples=[365])
    cooldown_minutes: int = Field(examples=[15])
    max_daily_stamps: int = Field(examples=[5])
    require_staff_pin: bool
    card_color: str = Field(examples=["#4F46E5"])
    card_secondary_color: str | None = Field(examples=["#FFFFFF"])
    logo_url: str | None
    hero_image_url: str | None
    terms_text: str
    privacy_url: str | None


class ProgramsQuery(PageQuery):
    """Which programs."""

    vendor_code: Code | None = Field(default=None, examples=["bakery"])


@operation("GET", PROGRAMS, scope=Scope.PLATFORM, query=ProgramsQuery, answers=ListedPrograms, tag="Platform")
def list_platform_programs(admin: Admin, query: ProgramsQuery) -> ListedPrograms:
    """List the programs of all vendors, the newest first."""
    rows = platform_programs.list_page(admin=admin, vendor_code=query.vendor_code, after=query.after, limit=query.most)
    return fill_page(ListedPrograms, query, rows, item=ListedProgram.of, position=_position)


@operation(
    "GET",
    f"{PROGRAMS}/{{program_id}}",
    scope=Scope.PLATFORM,
    answers=PlatformProgram,
    errors=(ProgramNotFound,),
    tag="Platform",
)
def get_platform_program(admin: Admin, program_id: UUID) -> PlatformProgram:
    """Get one program with all its settings."""
    return PlatformProgram.of(platform_programs.get(admin=admin, program_id=program_id))


def _position(row: platform_programs.PlatformProgram) -> Position:
    return Position(row.created_at, row.program_id)
