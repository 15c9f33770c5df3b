"""What travels between the layers: who acts, under which key, and what a card shows."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from uuid import UUID


class Role(IntEnum):
    """What a person or program may do; each role may do all that the ones below it may."""

    STAFF = 1
    MANAGER = 2
    OWNER = 3
    ADMIN = 4


class Scope(StrEnum):
    """What an API key may do: a shop's key reads, works as a till or as a manager; a platform key is another kind."""

    READ = "read"
    TILL = "till"
    MANAGE = "manage"
    PLATFORM = "platform"

    def allows(self, needed: "Scope") -> bool:
        """Whether a key of this scope may do what asks for another: each of a shop's includes those before it."""
        if Scope.PLATFORM in (self, needed):
            return self is needed
        ladder = list(Scope)
        return ladder.index(self) >= ladder.index(needed)

    def at_stores(self, *, limited: bool) -> "Scope":
        """Return what a key of this scope may do if it is limited to stores: managing is about the whole shop."""
        return Scope.TILL if limited and self is Scope.MANAGE else self


class LoyaltyType(StrEnum):
    """The kinds of program."""

    STAMPS = "stamps"
    POINTS = "points"
    HYBRID = "hybrid"


class TransactionType(StrEnum):
    """The kinds of ledger rows."""

    CARD_CREATED = "card_created"
    WELCOME_BONUS = "welcome_bonus"
    STAMP_EARNED = "stamp_earned"
    STAMP_REDEEMED = "stamp_redeemed"
    STAMP_VOIDED = "stamp_voided"
    POINTS_EARNED = "points_earned"
    POINTS_REDEEMED = "points_redeemed"
    POINTS_VOIDED = "points_voided"
    REDEMPTION_VOIDED = "redemption_voided"
    POINTS_ADJUSTMENT = "points_adjustment"
    STAMP_ADJUSTMENT = "stamp_adjustment"
    POINTS_EXPIRED = "points_expired"
    CARD_DEACTIVATED = "card_deactivated"
    CARD_REACTIVATED = "card_reactivated"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and for which vendor; built once per request by web/access.py."""

    vendor_id: UUID
    role: Role
    store_id: UUID | None = None
    terminal_id: UUID | None = None
    staff_pin_id: UUID | None = None
    staff_name: str = ""
    user_id: UUID | None = None
    api_key_id: UUID | None = None
    ip_address: str | None = None
    user_agent: str | None = None

    @property
    def caller(self) -> str:
        """The name under which idempotency keys and PIN attempts are counted."""
        if self.terminal_id:
            return f"terminal:{self.terminal_id}"
        if self.api_key_id:
            return f"key:{self.api_key_id}"
        if self.user_id:
            # At each shop somebody else: what was sent in the office of one is no answer in that of another.
            return f"user:{self.user_id}:{self.vendor_id}"
        return f"vendor:{self.vendor_id}"


@dataclass(frozen=True, slots=True)
class Admin:
    """Who acts for the platform, across vendors: a signed-in admin or a platform key."""

    user_id: UUID | None = None
    api_key_id: UUID | None = None
    ip_address: str | None = None
    user_agent: str | None = None

    @property
    def caller(self) -> str:
        """The name under which idempotency keys are counted."""
        return f"key:{self.api_key_id}" if self.api_key_id else f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class RequestKey:
    """An idempotency key as its caller sent it, with the HMAC of what was asked."""

    caller: str
    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of a list ends: the time and the id of its last row."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class CardRef:
    """How a request names a card: by one of the three.

    By its id and a number where somebody saw it under that number: it is refused once it has another.
    """

    card_id: UUID | None = None
    scan_code: str | None = None
    card_number: str | None = None


@dataclass(frozen=True, slots=True)
class PassContent:
    """What the card shows, the same in every place: terminal, card page, preview, poster and wallets.

    Colours are `#RRGGBB`; `points_goal` is the price of the cheapest active reward that is not reached yet.
    A logo that would drown in `color` stands on a white plate. `points_good_until` is the last day of points that
    expire soon, where their holder has been warned; `closes_on` the last day for redeeming of a program that ends.
    """

    vendor_name: str
    card_name: str
    color: str
    foreground: str
    loyalty_type: LoyaltyType
    stamp_count: int
    stamps_target: int
    stamps_reward: str
    points_balance: int
    points_goal: int | None
    points_reward: str | None
    card_number: str
    scan_code: str
    logo_url: str | None = None
    logo_on_plate: bool = False
    hero_url: str | None = None
    is_active: bool = True
    points_good_until: date | None = None
    closes_on: date | None = None

    @property
    def has_stamps(self) -> bool:
        """Whether the program gives stamps."""
        return self.loyalty_type != LoyaltyType.POINTS

    @property
    def has_points(self) -> bool:
        """Whether the program gives points."""
        return self.loyalty_type != LoyaltyType.STAMPS
