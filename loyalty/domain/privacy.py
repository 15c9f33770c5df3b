"""The registry of personal data: of every column whose it is, what for, and what erasing the person does to it.

Export and erasure read it. A test fails when a table or a column is in no list here.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from loyalty.domain.codes import make_scan_code
from loyalty.domain.privacy_nobody import COLUMNS
from loyalty.errors import N_


class Erasing(StrEnum):
    """What erasing a person does to a column.

    KEEP is for what names nobody once the rest is gone, and for the amounts of the ledger; LATER for what the wallets
    need until they have shown that the card has ended.
    """

    NULL = "null"
    REPLACE = "replace"
    DELETE_ROW = "delete row"
    KEEP = "keep"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Column:
    """Personal data of a customer; `replacement` draws what stands there afterwards."""

    purpose: str
    erasing: Erasing
    replacement: Callable[[], object] | None = None
    exported: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """All columns of a table: a customer's, those of people who work here, and what is about nobody."""

    of_customers: Mapping[str, Column] = field(default_factory=dict)
    of_staff: frozenset[str] = frozenset()
    of_nobody: frozenset[str] = frozenset()


CONTACT: Final = N_("To send the card to its customer and to find it again.")
PERSON: Final = N_("To greet the customer by name, in the right language and on birthdays.")
CONSENT: Final = N_("To know what the customer has agreed to.")
CARD: Final = N_("To keep the card and what it has collected.")
HISTORY: Final = N_("To say what happened on the card, when and where.")
NOTES: Final = N_("To say why something was done, and from which device.")
MAILS: Final = N_("To send every mail once and to show what became of it.")
ONCE: Final = N_("To do once what was asked for twice.")
PHONES: Final = N_("To keep the card in a phone up to date.")
VISITS: Final = N_("To count visits.")
FORGETTING: Final = N_("To forget the customer in time.")
RECORD: Final = N_("To show who changed something by hand.")


def _empty_text() -> str:
    return ""


def _empty_object() -> dict[str, object]:
    return {}


def _no() -> bool:
    return False


def _token() -> str:
    return secrets.token_urlsafe(16)


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _all(purpose: str, erasing: Erasing, names: str) -> dict[str, Column]:
    return {name: Column(purpose, erasing) for name in names.split()}


REGISTRY: Final[Mapping[str, Table]] = {
    "customers": Table(
        of_customers={
            **_all(CONTACT, Erasing.NULL, "email phone"),
            **_all(PERSON, Erasing.NULL, "name birth_date"),
            # Passes say in it that the card has ended; alone it names nobody.
            **_all(PERSON, Erasing.KEEP, "locale created_at"),
            **_all(CONSENT, Erasing.NULL, "terms_version terms_accepted_at marketing_consent_at"),
            "email_bounced_at": Column(MAILS, Erasing.NULL),
            "marketing_consent": Column(CONSENT, Erasing.REPLACE, _no),
            **_all(FORGETTING, Erasing.NULL, "erase_at erase_reason erase_asked_at kept_at"),
        },
        of_nobody=_words("id vendor_id erased_at updated_at"),
    ),
    "consents": Table(
        of_customers=_all(CONSENT, Erasing.DELETE_ROW, "kind given version source created_at"),
        of_nobody=_words("id vendor_id customer_id"),
    ),
    "loyalty_cards": Table(
        of_customers={
            # What opened the card's page and what its QR holds lead nowhere any more; the number is that of the
            # shop's own books.
            "public_token": Column(CARD, Erasing.REPLACE, _token),
            "scan_code": Column(CARD, Erasing.REPLACE, make_scan_code),
            **_all(
                CARD,
                Erasing.KEEP,
                "card_number stamp_count total_stamps_earned stamps_redeemed points_balance total_points_earned "
                "points_redeemed total_points_voided last_stamp_at last_points_at last_redemption_at last_activity_at "
                "last_expiration_warning_at points_good_until points_kept_until is_active created_at replaced_at",
            ),
            "replaced_reason": Column(NOTES, Erasing.NULL),
            "apple_serial_number": Column(PHONES, Erasing.LATER),
            "apple_auth_token": Column(PHONES, Erasing.LATER, exported=False),
            **_all(PHONES, Erasing.KEEP, "apple_fetched_at google_object_id google_saved_at google_told_at"),
        },
        of_nobody=_words(
            "id program_id customer_id vendor_id enrolled_at_store_id ledger_seq ledger_head ledger_at stamps_day "
            "stamps_on_day apple_change_seq apple_content_hash apple_changed_at apple_shown_seq google_content_hash "
            "google_shown_seq google_checked_at google_key replaced_by_id updated_at"
        ),
    ),
    "customers_apart": Table(
        of_staff=_words("user_id"),
        of_nobody=_words("first_id second_id vendor_id created_at"),
    ),
    "loyalty_transactions": Table(
        of_customers=_all(
            HISTORY,
            Erasing.KEEP,
            "id transaction_at local_day transaction_type stamps_delta points_delta stamps_balance_after "
            "points_balance_after purchase_amount_cents order_reference reward_description",
        ),
        of_staff=_words("staff_pin_id user_id"),
        of_nobody=_words(
            "card_id vendor_id store_id seq reward_id related_transaction_id entry_version entry_hash terminal_id "
            "api_key_id idempotency_key"
        ),
    ),
    "transaction_details": Table(
        of_customers=_all(NOTES, Erasing.DELETE_ROW, "transaction_id notes ip_address user_agent"),
        of_nobody=_words("vendor_id"),
    ),
    "email_logs": Table(
        of_customers={
            "recipient": Column(MAILS, Erasing.REPLACE, _empty_text),
            "address_hash": Column(MAILS, Erasing.REPLACE, _empty_text, exported=False),
            # A server's answer often repeats whom it is about.
            "error": Column(MAILS, Erasing.NULL),
            "facts": Column(MAILS, Erasing.REPLACE, _empty_object),
            **_all(MAILS, Erasing.KEEP, "kind locale state created_at sent_at"),
        },
        of_nobody=_words("id vendor_id event_key card_id confirmation_id message_id sending_at"),
    ),
    "confirmations": Table(
        of_customers={
            "address": Column(CONTACT, Erasing.REPLACE, _empty_text),
            "form": Column(CONTACT, Erasing.REPLACE, _empty_object),
            **_all(CONTACT, Erasing.KEEP, "kind locale created_at used_at"),
        },
        of_nobody=_words("id vendor_id expires_at"),
    ),
    "outbox": Table(
        of_customers={"last_error": Column(MAILS, Erasing.NULL, exported=False)},
        of_nobody=_words(
            "id vendor_id kind subject_id version attempts not_before leased_until lease_token delivered_at gave_up_at "
            "created_at"
        ),
    ),
    "idempotency_keys": Table(
        # The caller of a join form holds an HMAC of it, which only this platform's secret could connect to anybody.
        of_customers={
            "request_hash": Column(ONCE, Erasing.REPLACE, _empty_text, exported=False),
            "receipt": Column(ONCE, Erasing.REPLACE, _empty_object, exported=False),
        },
        of_nobody=_words("caller key vendor_id status created_at"),
    ),
    "audit_events": Table(
        of_customers={
            "details": Column(RECORD, Erasing.REPLACE, _empty_object),
            **_all(RECORD, Erasing.KEEP, "action created_at"),
        },
        of_staff=_words("user_id staff_pin_id"),
        of_nobody=_words("id vendor_id terminal_id api_key_id subject_type subject_id on_behalf"),
    ),
    "apple_devices": Table(
        of_customers=_all(PHONES, Erasing.LATER, "device_library_identifier push_token token_seen_at created_at"),
        of_nobody=_words("id updated_at"),
    ),
    "apple_device_registrations": Table(
        of_customers=_all(PHONES, Erasing.LATER, "pass_type created_at"),
        of_nobody=_words("device_id card_id vendor_id reg_seq pushed_seq"),
    ),
    "card_stats": Table(
        of_customers=_all(
            VISITS,
            Erasing.KEEP,
            "joined_day visits first_visit_day second_visit_day last_visit_day first_reward_day visited_months",
        ),
        of_nobody=_words("card_id vendor_id store_id ledger_seq is_active"),
    ),
    "users": Table(
        of_staff=_words("email password_hash locale totp_secret totp_step last_login_at"),
        of_nobody=_words("id is_admin created_at updated_at"),
    ),
    "user_sessions": Table(
        of_staff=_words("token_hash user_id browser network device_hash last_seen_at expires_at ended_at created_at"),
        of_nobody=_words("id vendor_id acting_vendor_id acting_until"),
    ),
    "recovery_codes": Table(of_staff=_words("user_id code_hash used_at created_at")),
    "vendor_members": Table(of_staff=_words("user_id role daily_digest created_at"), of_nobody=_words("vendor_id")),
    "staff_pins": Table(
        of_staff=_words("name role pin_hash last_used_at"),
        of_nobody=_words("id vendor_id store_id pepper_id active created_at updated_at"),
    ),
    # Sources are tablets, keys and networks, subjects staff and digests; a day later they are forgotten.
    "pin_throttles": Table(
        of_staff=_words("source subject failed_attempts locked_until window_started_at"),
        of_nobody=_words("created_at updated_at"),
    ),
    "daily_staff_stats": Table(
        of_staff=_words("staff_pin_id transactions cards_created stamps_earned points_earned redemptions voids"),
        of_nobody=_words("id vendor_id store_id local_day"),
    ),
    "terminals": Table(
        of_staff=_words("staff_pin_id staff_seen_at"),
        of_nobody=_words(
            "id vendor_id store_id label code_hash code_expires_at token_hash paired_at last_seen_at revoked_at "
            "lock_minutes left_handed sound created_at updated_at"
        ),
    ),
    # The choice is that of days, a store and how many numbers were typed.
    "bulk_deactivations": Table(
        of_staff=_words("user_id undo_user_id reason"),
        of_nobody=_words("id vendor_id choice cards state created_at ended_at"),
    ),
    **{name: Table(of_nobody=_words(columns)) for name, columns in COLUMNS.items()},
}
