"""The one family of refusals: a stable code, an HTTP status, a sentence for a cashier, details as attributes.

Sentences are message ids with named placeholders; `web/errors.py` translates them and fills them in.
"""

from typing import Any, ClassVar


def N_(sentence: str) -> str:
    """Mark a sentence for translation without translating it yet."""
    return sentence


class LoyaltyError(Exception):
    """A refusal that a person or program can understand and act on."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 409
    sentence: ClassVar[str] = N_("This did not work.")

    # Details are shown to callers as they are: ids, numbers, times, sentences.
    def __init__(self, **details: Any) -> None:
        self.details = details
        super().__init__(self.code)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["details"][name]
        except KeyError:
            raise AttributeError(name) from None


class ValidationError(LoyaltyError):
    """`errors` maps field names to sentences (message ids); what was typed is kept by the form."""

    code = "VALIDATION_ERROR"
    status = 422
    sentence = N_("Some of the fields need another look.")

    def __init__(self, errors: dict[str, str] | None = None, **details: Any) -> None:
        super().__init__(errors=errors or {}, **details)


class NotAuthenticated(LoyaltyError):
    code = "NOT_AUTHENTICATED"
    status = 401
    sentence = N_("You are signed out. Sign in to go on.")


class KeyRequired(NotAuthenticated):
    """A program sent no key, or one that was never made, has ended or was revoked."""

    sentence = N_("Send a key that works in the header: Authorization: Bearer lp_…")


class SecondFactorRequired(NotAuthenticated):
    """The password is right; `challenge` is what the code has to come with."""

    sentence = N_("Enter the code that your phone shows.")


class Forbidden(LoyaltyError):
    code = "FORBIDDEN"
    status = 403
    sentence = N_("You may not do this.")


class ActingEnded(Forbidden):
    """The platform's hour at a shop is over."""

    sentence = N_("Your time at this shop is over. Open the shop on the platform to act for it again.")


class NotFound(LoyaltyError):
    code = "NOT_FOUND"
    status = 404
    sentence = N_("This does not exist.")


class CardNotFound(LoyaltyError):
    code = "CARD_NOT_FOUND"
    status = 404
    sentence = N_("This card is not a card of this shop.")


class CardInactive(LoyaltyError):
    code = "CARD_INACTIVE"
    sentence = N_("This card has been deactivated. A manager can reactivate it in the office.")


class CustomerErased(CardInactive):
    """The person behind the card was erased: it stays closed."""

    sentence = N_("The customer of this card was erased. Make a new card instead.")


class AnotherCardActive(CardInactive):
    """The customer has another card by now: nobody collects on two."""

    sentence = N_("The customer has another card that is active. Deactivate that one first.")


class CardReplaced(CardInactive):
    """The code or address is one that a card had before it was replaced, at `replaced_at`."""

    sentence = N_("This card was replaced by a new one. Only the new card is valid.")


class ProgramNotFound(LoyaltyError):
    code = "PROGRAM_NOT_FOUND"
    status = 404
    sentence = N_("This shop has no loyalty program yet.")


class ProgramExists(LoyaltyError):
    code = "PROGRAM_EXISTS"
    sentence = N_("This shop has a loyalty program already. Change that one.")


class ProgramInactive(LoyaltyError):
    code = "PROGRAM_INACTIVE"
    sentence = N_("The loyalty program is paused. The owner can activate it in the office.")


class ProgramClosing(ProgramInactive):
    """The end is announced: `closes_on` is the last day for redeeming, as an ISO date."""

    sentence = N_("The loyalty program ends soon: nothing is collected any more. Rewards can still be redeemed.")


class StampsNotEnabled(LoyaltyError):
    code = "STAMPS_NOT_ENABLED"
    sentence = N_("This program gives no stamps.")


class PointsNotEnabled(LoyaltyError):
    code = "POINTS_NOT_ENABLED"
    sentence = N_("This program gives no points.")


class StaffPinRequired(LoyaltyError):
    """`role` is "staff" or "manager": whose PIN is needed."""

    code = "STAFF_PIN_REQUIRED"
    status = 422
    sentence = N_("A PIN is needed for this.")


class StaffPinInvalid(LoyaltyError):
    """`attempts_left` before the next wait."""

    code = "STAFF_PIN_INVALID"
    status = 403
    sentence = N_("This PIN is not right.")


class StaffPinLocked(LoyaltyError):
    """`locked_until` is an aware time; `needs_manager` where only a manager's PIN helps."""

    code = "STAFF_PIN_LOCKED"
    status = 423
    sentence = N_("Too many wrong PINs. Wait until the time shown.")


class StampCooldown(LoyaltyError):
    """`cooldown_ends_at`, `last_stamp_at`: aware times."""

    code = "STAMP_COOLDOWN"
    sentence = N_("This card got a stamp a moment ago.")


class DailyStampLimit(LoyaltyError):
    """`stamps_today` and `max_daily_stamps`."""

    code = "DAILY_STAMP_LIMIT"
    sentence = N_("This card has %(stamps_today)s of %(max_daily_stamps)s stamps for today.")


class InsufficientStamps(LoyaltyError):
    """`stamp_count` and `stamps_target`."""

    code = "INSUFFICIENT_STAMPS"
    sentence = N_("This card has %(stamp_count)s of the %(stamps_target)s stamps that the reward needs.")


class InsufficientPoints(LoyaltyError):
    """`points_balance` and `points_required`; below zero after an adjustment, or below a reward's price."""

    code = "INSUFFICIENT_POINTS"
    sentence = N_("This card has %(points_balance)s points, and %(points_required)s are needed.")


class InvalidReward(LoyaltyError):
    code = "INVALID_REWARD"
    status = 422
    sentence = N_("This reward is not on offer.")


class VoidNotAllowed(LoyaltyError):
    code = "VOID_NOT_ALLOWED"
    sentence = N_("This cannot be undone.")


class AlreadyVoided(LoyaltyError):
    code = "ALREADY_VOIDED"
    sentence = N_("This was undone before.")


class TransactionNotFound(LoyaltyError):
    code = "TRANSACTION_NOT_FOUND"
    status = 404
    sentence = N_("This entry does not exist.")


class OrderReferenceRequired(LoyaltyError):
    code = "ORDER_REFERENCE_REQUIRED"
    status = 422
    sentence = N_("Enter the number of the receipt.")


class SelfEnrollmentDisabled(LoyaltyError):
    code = "SELF_ENROLLMENT_DISABLED"
    status = 403
    sentence = N_("Cards of this shop are given out at the counter. Ask there for yours.")


class IdempotencyKeyReused(LoyaltyError):
    code = "IDEMPOTENCY_KEY_REUSED"
    status = 422
    sentence = N_("This page was used before for something else. Load it again.")


class IdempotencyInProgress(LoyaltyError):
    code = "IDEMPOTENCY_IN_PROGRESS"
    sentence = N_("The same request is still being worked on. Try again in a moment.")


class StoreNotAllowed(LoyaltyError):
    code = "STORE_NOT_ALLOWED"
    sentence = N_("Rewards of this card are given at the store where it was made.")


class VendorSuspended(LoyaltyError):
    code = "VENDOR_SUSPENDED"
    status = 403
    sentence = N_("This shop is closed on this platform at the moment.")


class RateLimited(LoyaltyError):
    """`retry_at`: an aware time."""

    code = "RATE_LIMITED"
    status = 429
    sentence = N_("Too many tries. Wait a moment.")


class Unavailable(LoyaltyError):
    """The database cannot answer; the outcome of a write is unknown until the same key is tried again."""

    code = "UNAVAILABLE"
    status = 503
    sentence = N_("The service cannot be reached. Try again in a moment.")


class TerminalUnpaired(NotAuthenticated):
    """The tablet holds no valid token: never paired, or signed out by the owner."""

    sentence = N_("This tablet was signed out by the owner. Pair it again.")


class TerminalLocked(NotAuthenticated):
    """The tablet is paired, and nobody's PIN has opened it."""

    sentence = N_("Enter your PIN to continue.")


class LinkExpired(NotFound):
    """A mailed link was used before, is older than a day, or was never signed here."""

    sentence = N_("This link was used before or is too old. Ask for a new one on the shop's page.")


class ProofExpired(LinkExpired):
    """Whoever has proven their address did so more than an hour ago."""

    sentence = N_("You have been away for a while. Have another link sent to you to go on.")


class ResetExpired(LinkExpired):
    sentence = N_("This link was used before or is too old. Ask for a new one where you sign in.")


class InvitationExpired(LinkExpired):
    sentence = N_("This invitation was used before, was withdrawn or is too old. Ask the owner for a new one.")
