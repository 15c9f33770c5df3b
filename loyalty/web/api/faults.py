"""What the frame of the JSON API refuses by itself, whatever an operation does."""

from loyalty.domain.values import Scope
from loyalty.errors import (
    CardInactive,
    CardNotFound,
    Forbidden,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    KeyRequired,
    LoyaltyError,
    NotFound,
    ProgramInactive,
    RateLimited,
    StaffPinInvalid,
    StaffPinLocked,
    StaffPinRequired,
    StoreNotAllowed,
    Unavailable,
    ValidationError,
    VendorSuspended,
)
from loyalty.web.api.naming import AtStore, NamesCard, WithPin
from loyalty.web.api.schemas import Body
from loyalty.web.errors import InternalError, MalformedRequest, TooLarge, UnsupportedMediaType

Errors = tuple[type[LoyaltyError], ...]

ALWAYS: Errors = (MalformedRequest, TooLarge, ValidationError, RateLimited, InternalError, Unavailable)
KEYED: Errors = (KeyRequired, Forbidden)
WRITES: Errors = (UnsupportedMediaType, IdempotencyKeyReused, IdempotencyInProgress)
STORE: Errors = (StoreNotAllowed,)
# NotFound: nobody of this shop's staff has the id that was sent with the PIN.
PIN: Errors = (StaffPinRequired, StaffPinInvalid, StaffPinLocked, NotFound)
CARD: Errors = (CardNotFound, CardInactive, ProgramInactive)


def of_frame(scope: Scope | None, body: type[Body] | None, *, path: bool, writes: bool) -> Errors:
    """Return what can be refused before an operation's own rules are asked."""
    kinds = body or Body
    parts = (
        ALWAYS,
        KEYED if scope is not None else (),
        (VendorSuspended,) if scope not in (None, Scope.PLATFORM) else (),
        WRITES if writes else (UnsupportedMediaType,) if body else (),
        (NotFound,) if path else (),
        STORE if issubclass(kinds, AtStore) else (),
        PIN if issubclass(kinds, WithPin) else (),
        CARD if issubclass(kinds, NamesCard) else (),
    )
    return tuple(error for part in parts for error in part)
