"""Columns that are about nobody, by table: the part of the registry of personal data that is no person's."""

from collections.abc import Mapping
from typing import Final

COLUMNS: Final[Mapping[str, str]] = {
    "vendors": (
        "id code name locale timezone country currency status contact_field confirm_address ask_name ask_birthday "
        "ask_marketing pin_salt pin_length retention_months privacy_contact privacy_note created_at updated_at"
    ),
    "vendor_policies": (
        "vendor_id staff_pin_policy pin_lockout_attempts pin_lockout_minutes allow_self_enrollment "
        "allow_void_transactions allow_cross_store_redemption require_order_reference log_ip_addresses created_at "
        "updated_at"
    ),
    "email_templates": "vendor_id kind locale subject body created_at updated_at",
    "mail_settings": ("vendor_id sender_name birthday birthday_points birthday_stamps miss_you created_at updated_at"),
    "terms_versions": "vendor_id version terms_text created_at",
    "stores": "id vendor_id code name address latitude longitude active created_at updated_at",
    "loyalty_programs": (
        "id vendor_id loyalty_type stamps_target stamps_reward_description stamps_reward_value_cents "
        "max_stamps_per_action welcome_stamps points_per_euro minimum_purchase_cents minimum_redemption_points "
        "welcome_bonus_points points_expiration_days expiry_ran_on cooldown_minutes max_daily_stamps require_staff_pin "
        "card_name card_color card_secondary_color logo_url hero_image_url terms_text privacy_url is_active "
        "activated_at setup_step poster_placed_at google_issuer_id google_class_id google_class_hash "
        "apple_pass_type_id closes_on closing_announced_at closing_told_to created_at updated_at"
    ),
    "ended_expiry_rules": "program_id number vendor_id days ended_on created_at",
    "clock_tasks": (
        "name leased_until lease_token started_at finished_at succeeded_at duration_ms last_error late_at told_late_at"
    ),
    "rewards": (
        "id program_id vendor_id public_id name points_required value_cents description active sort_order translations "
        "created_at updated_at"
    ),
    "api_keys": "id vendor_id name scope requests_per_minute expires_at revoked_at created_at updated_at",
    "api_key_secrets": "code api_key_id secret_hash ends_at last_used_at created_at",
    "api_key_stores": "api_key_id store_id vendor_id created_at",
    # Bodies hold ids, amounts and the card's number: what `webhook_events` sends, and no free text.
    "webhook_deliveries": (
        "id vendor_id endpoint_id event_id event_type body state attempts attempted_at delivered_at status duration_ms "
        "answer error created_at"
    ),
    "webhook_endpoints": (
        "id vendor_id url events secret old_secret old_secret_until state paused_reason paused_at failures "
        "failing_since busy_until quiet_until created_at updated_at"
    ),
    "daily_stats": (
        "id vendor_id store_id local_day transactions visits cards_created stamps_earned stamps_redeemed stamps_voided "
        "stamps_adjusted points_earned points_redeemed points_voided points_adjusted points_expired redemptions "
        "purchases revenue_cents members_change stamps_change points_change"
    ),
    "daily_platform_stats": (
        "id local_day currency transactions visits cards_created stamps_earned stamps_redeemed stamps_voided "
        "stamps_adjusted points_earned points_redeemed points_voided points_adjusted points_expired redemptions "
        "purchases revenue_cents"
    ),
    "daily_visit_times": "id vendor_id store_id local_day quarter_at visits",
    "stats_due": "id vendor_id local_day",
    "stats_platform_due": "id local_day",
    "stats_progress": "id searched_to",
    "stats_standing": "id vendor_id store_id members stamps points",
    "bulk_cards": "bulk_id card_id vendor_id state transaction_id created_at updated_at",
    "staff_reports": "vendor_id since_day created_at",
    "google_nonces": "nonce expires_at created_at",
    "heartbeats": "name beat_at",
    "wallet_clocks": "pass_type seq",
    "wallet_setups": "wallet setup created_at updated_at",
}
