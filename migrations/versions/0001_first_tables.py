"""First tables: vendors, people, programs, cards, the ledger, terminals, outbox, mails."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The application's role cannot change the ledger for want of rights; these refuse it to the owner as well.
REFUSE = """
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'loyalty_transactions is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER refuse_row_change BEFORE UPDATE OR DELETE ON loyalty_transactions
    FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON loyalty_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();
"""

TABLES = (
    "pin_throttles",
    "users",
    "vendors",
    "confirmations",
    "customers",
    "idempotency_keys",
    "loyalty_programs",
    "outbox",
    "stores",
    "user_sessions",
    "vendor_members",
    "vendor_policies",
    "loyalty_cards",
    "rewards",
    "staff_pins",
    "email_logs",
    "terminals",
    "audit_events",
    "loyalty_transactions",
    "transaction_details",
)


def upgrade() -> None:
    op.create_table(
        "pin_throttles",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("failed_attempts", sa.BigInteger(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "subject", name="pk_pin_throttles"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("email = lower(email)", name="ck_users_email_lower"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "vendors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("contact_field", sa.Text(), nullable=False),
        sa.Column("confirm_address", sa.Boolean(), nullable=False),
        sa.Column("ask_name", sa.Boolean(), nullable=False),
        sa.Column("ask_birthday", sa.Boolean(), nullable=False),
        sa.Column("ask_marketing", sa.Boolean(), nullable=False),
        sa.Column("pin_salt", sa.LargeBinary(), nullable=False),
        sa.Column("pin_length", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{1,39}$'", name="ck_vendors_code"),
        sa.CheckConstraint("contact_field IN ('email', 'phone')", name="ck_vendors_contact_field"),
        sa.CheckConstraint("status IN ('active', 'suspended')", name="ck_vendors_status"),
        sa.CheckConstraint("pin_length IN (4, 6)", name="ck_vendors_pin_length"),
        sa.PrimaryKeyConstraint("id", name="pk_vendors"),
        sa.UniqueConstraint("code", name="uq_vendors_code"),
    )
    op.create_table(
        "confirmations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("form", postgresql.JSONB(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('join', 'my_data', 'password')", name="ck_confirmations_kind"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_confirmations_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_confirmations"),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("terms_version", sa.Text(), nullable=True),
        sa.Column("terms_accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("marketing_consent", sa.Boolean(), nullable=False),
        sa.Column("marketing_consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("phone ~ '^[+][1-9][0-9]{6,14}$'", name="ck_customers_phone_e164"),
        sa.CheckConstraint("email = lower(email)", name="ck_customers_email_lower"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_customers_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
        sa.UniqueConstraint("id", "vendor_id", name="uq_customers_id_vendor_id"),
    )
    op.create_index(
        "ix_customers_name", "customers", ["vendor_id", sa.literal_column("lower(name) text_pattern_ops")], unique=False
    )
    op.create_index(
        "uq_customers_email",
        "customers",
        ["vendor_id", "email"],
        unique=True,
        postgresql_where=sa.text("email IS NOT NULL"),
    )
    op.create_index(
        "uq_customers_phone",
        "customers",
        ["vendor_id", "phone"],
        unique=True,
        postgresql_where=sa.text("phone IS NOT NULL"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("receipt", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_idempotency_keys_vendor_id"),
        sa.PrimaryKeyConstraint("caller", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "loyalty_programs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("loyalty_type", sa.Text(), nullable=False),
        sa.Column("stamps_target", sa.BigInteger(), nullable=False),
        sa.Column("stamps_reward_description", sa.Text(), nullable=False),
        sa.Column("stamps_reward_value_cents", sa.BigInteger(), nullable=True),
        sa.Column("max_stamps_per_action", sa.BigInteger(), nullable=False),
        sa.Column("welcome_stamps", sa.BigInteger(), nullable=False),
        sa.Column("points_per_euro", sa.BigInteger(), nullable=False),
        sa.Column("minimum_purchase_cents", sa.BigInteger(), nullable=False),
        sa.Column("minimum_redemption_points", sa.BigInteger(), nullable=False),
        sa.Column("welcome_bonus_points", sa.BigInteger(), nullable=False),
        sa.Column("points_expiration_days", sa.BigInteger(), nullable=True),
        sa.Column("cooldown_minutes", sa.BigInteger(), nullable=False),
        sa.Column("max_daily_stamps", sa.BigInteger(), nullable=False),
        sa.Column("require_staff_pin", sa.Boolean(), nullable=False),
        sa.Column("card_name", sa.Text(), nullable=False),
        sa.Column("card_color", sa.Text(), nullable=False),
        sa.Column("card_secondary_color", sa.Text(), nullable=True),
        sa.Column("logo_url", sa.Text(), nullable=True),
        sa.Column("hero_image_url", sa.Text(), nullable=True),
        sa.Column("terms_text", sa.Text(), nullable=False),
        sa.Column("privacy_url", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("card_color ~ '^#[0-9A-Fa-f]{6}$'", name="ck_loyalty_programs_card_color"),
        sa.CheckConstraint(
            "card_secondary_color ~ '^#[0-9A-Fa-f]{6}$'", name="ck_loyalty_programs_card_secondary_color"
        ),
        sa.CheckConstraint("loyalty_type IN ('stamps', 'points', 'hybrid')", name="ck_loyalty_programs_loyalty_type"),
        sa.CheckConstraint("NOT is_active OR activated_at IS NOT NULL", name="ck_loyalty_programs_activated"),
        sa.CheckConstraint("cooldown_minutes BETWEEN 0 AND 10080", name="ck_loyalty_programs_cooldown_minutes"),
        sa.CheckConstraint("length(card_name) <= 100", name="ck_loyalty_programs_card_name"),
        sa.CheckConstraint("length(hero_image_url) <= 500", name="ck_loyalty_programs_hero_image_url"),
        sa.CheckConstraint("length(logo_url) <= 500", name="ck_loyalty_programs_logo_url"),
        sa.CheckConstraint("max_daily_stamps BETWEEN 1 AND 100", name="ck_loyalty_programs_max_daily_stamps"),
        sa.CheckConstraint("max_stamps_per_action BETWEEN 1 AND 20", name="ck_loyalty_programs_max_stamps_per_action"),
        sa.CheckConstraint(
            "minimum_purchase_cents BETWEEN 0 AND 10000000", name="ck_loyalty_programs_minimum_purchase_cents"
        ),
        sa.CheckConstraint(
            "minimum_redemption_points BETWEEN 0 AND 1000000", name="ck_loyalty_programs_minimum_redemption_points"
        ),
        sa.CheckConstraint(
            "points_expiration_days BETWEEN 30 AND 3650", name="ck_loyalty_programs_points_expiration_days"
        ),
        sa.CheckConstraint("points_per_euro BETWEEN 1 AND 10000", name="ck_loyalty_programs_points_per_euro"),
        sa.CheckConstraint(
            "stamps_reward_value_cents BETWEEN 0 AND 10000000", name="ck_loyalty_programs_stamps_reward_value_cents"
        ),
        sa.CheckConstraint("stamps_target BETWEEN 1 AND 100", name="ck_loyalty_programs_stamps_target"),
        sa.CheckConstraint(
            "welcome_bonus_points BETWEEN 0 AND 100000", name="ck_loyalty_programs_welcome_bonus_points"
        ),
        sa.CheckConstraint("welcome_stamps BETWEEN 0 AND 20", name="ck_loyalty_programs_welcome_stamps"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_loyalty_programs_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_loyalty_programs"),
        sa.UniqueConstraint("id", "vendor_id", name="uq_loyalty_programs_id_vendor_id"),
        sa.UniqueConstraint("vendor_id", name="uq_loyalty_programs_vendor_id"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gave_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_outbox_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["not_before"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NULL AND gave_up_at IS NULL"),
    )
    op.create_index(
        "uq_outbox_open",
        "outbox",
        ["kind", "subject_id"],
        unique=True,
        postgresql_where=sa.text("delivered_at IS NULL AND gave_up_at IS NULL"),
    )
    op.create_table(
        "stores",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_stores_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stores"),
        sa.UniqueConstraint("id", "vendor_id", name="uq_stores_id_vendor_id"),
        sa.UniqueConstraint("vendor_id", "code", name="uq_stores_vendor_id_code"),
    )
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_user_sessions_user_id"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_user_sessions_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_user_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_user_sessions_token_hash"),
    )
    op.create_index("ix_user_sessions_user_id", "user_sessions", ["user_id"], unique=False)
    op.create_table(
        "vendor_members",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'manager')", name="ck_vendor_members_role"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_vendor_members_user_id"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_vendor_members_vendor_id"),
        sa.PrimaryKeyConstraint("user_id", "vendor_id", name="pk_vendor_members"),
    )
    op.create_index("ix_vendor_members_vendor_id", "vendor_members", ["vendor_id"], unique=False)
    op.create_table(
        "vendor_policies",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("staff_pin_policy", sa.Text(), nullable=False),
        sa.Column("pin_lockout_attempts", sa.BigInteger(), nullable=False),
        sa.Column("pin_lockout_minutes", sa.BigInteger(), nullable=False),
        sa.Column("allow_self_enrollment", sa.Boolean(), nullable=False),
        sa.Column("allow_void_transactions", sa.Boolean(), nullable=False),
        sa.Column("allow_cross_store_redemption", sa.Boolean(), nullable=False),
        sa.Column("require_order_reference", sa.Boolean(), nullable=False),
        sa.Column("log_ip_addresses", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "staff_pin_policy IN ('required', 'optional', 'disabled')", name="ck_vendor_policies_staff_pin_policy"
        ),
        sa.CheckConstraint("pin_lockout_attempts BETWEEN 3 AND 20", name="ck_vendor_policies_pin_lockout_attempts"),
        sa.CheckConstraint("pin_lockout_minutes BETWEEN 1 AND 1440", name="ck_vendor_policies_pin_lockout_minutes"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_vendor_policies_vendor_id"),
        sa.PrimaryKeyConstraint("vendor_id", name="pk_vendor_policies"),
    )
    op.create_table(
        "loyalty_cards",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("enrolled_at_store_id", sa.Uuid(), nullable=True),
        sa.Column("card_number", sa.Text(), nullable=False),
        sa.Column("scan_code", sa.Text(), nullable=False),
        sa.Column("public_token", sa.Text(), nullable=False),
        sa.Column("stamp_count", sa.BigInteger(), nullable=False),
        sa.Column("total_stamps_earned", sa.BigInteger(), nullable=False),
        sa.Column("stamps_redeemed", sa.BigInteger(), nullable=False),
        sa.Column("points_balance", sa.BigInteger(), nullable=False),
        sa.Column("total_points_earned", sa.BigInteger(), nullable=False),
        sa.Column("points_redeemed", sa.BigInteger(), nullable=False),
        sa.Column("total_points_voided", sa.BigInteger(), nullable=False),
        sa.Column("last_stamp_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_points_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_redemption_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_activity_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ledger_seq", sa.BigInteger(), nullable=False),
        sa.Column("ledger_head", sa.Text(), nullable=False),
        sa.Column("ledger_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stamps_day", sa.Date(), nullable=True),
        sa.Column("stamps_on_day", sa.BigInteger(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("card_number ~ '^[0-9]{10}$'", name="ck_loyalty_cards_card_number"),
        sa.CheckConstraint("scan_code ~ '^[BCDEFGHJKNPRSTVX]{16}$'", name="ck_loyalty_cards_scan_code"),
        sa.CheckConstraint("ledger_seq >= 0", name="ck_loyalty_cards_ledger_seq_not_negative"),
        sa.CheckConstraint("points_balance >= 0", name="ck_loyalty_cards_points_balance_not_negative"),
        sa.CheckConstraint("points_redeemed >= 0", name="ck_loyalty_cards_points_redeemed_not_negative"),
        sa.CheckConstraint("stamp_count >= 0", name="ck_loyalty_cards_stamp_count_not_negative"),
        sa.CheckConstraint("stamps_on_day >= 0", name="ck_loyalty_cards_stamps_on_day_not_negative"),
        sa.CheckConstraint("stamps_redeemed >= 0", name="ck_loyalty_cards_stamps_redeemed_not_negative"),
        sa.CheckConstraint("total_points_earned >= 0", name="ck_loyalty_cards_total_points_earned_not_negative"),
        sa.CheckConstraint("total_points_voided >= 0", name="ck_loyalty_cards_total_points_voided_not_negative"),
        sa.CheckConstraint("total_stamps_earned >= 0", name="ck_loyalty_cards_total_stamps_earned_not_negative"),
        sa.ForeignKeyConstraint(
            ["customer_id", "vendor_id"], ["customers.id", "customers.vendor_id"], name="fk_loyalty_cards_customer_id"
        ),
        sa.ForeignKeyConstraint(
            ["enrolled_at_store_id", "vendor_id"],
            ["stores.id", "stores.vendor_id"],
            name="fk_loyalty_cards_enrolled_at_store_id",
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "vendor_id"],
            ["loyalty_programs.id", "loyalty_programs.vendor_id"],
            name="fk_loyalty_cards_program_id",
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_loyalty_cards_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_loyalty_cards"),
        sa.UniqueConstraint("id", "vendor_id", name="uq_loyalty_cards_id_vendor_id"),
        sa.UniqueConstraint("public_token", name="uq_loyalty_cards_public_token"),
        sa.UniqueConstraint("vendor_id", "card_number", name="uq_loyalty_cards_vendor_id_card_number"),
        sa.UniqueConstraint("vendor_id", "scan_code", name="uq_loyalty_cards_vendor_id_scan_code"),
    )
    op.create_index("ix_loyalty_cards_customer", "loyalty_cards", ["customer_id"], unique=False)
    op.create_index(
        "uq_loyalty_cards_active",
        "loyalty_cards",
        ["program_id", "customer_id"],
        unique=True,
        postgresql_where=sa.text("is_active"),
    )
    op.create_table(
        "rewards",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("points_required", sa.BigInteger(), nullable=False),
        sa.Column("value_cents", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sort_order", sa.BigInteger(), nullable=False),
        sa.Column("translations", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("points_required BETWEEN 1 AND 1000000", name="ck_rewards_points_required"),
        sa.CheckConstraint("sort_order BETWEEN 0 AND 10000", name="ck_rewards_sort_order"),
        sa.CheckConstraint("value_cents BETWEEN 0 AND 10000000", name="ck_rewards_value_cents"),
        sa.ForeignKeyConstraint(
            ["program_id", "vendor_id"],
            ["loyalty_programs.id", "loyalty_programs.vendor_id"],
            name="fk_rewards_program_id",
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_rewards_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rewards"),
        sa.UniqueConstraint("program_id", "public_id", name="uq_rewards_program_id_public_id"),
    )
    op.create_index("ix_rewards_offer", "rewards", ["program_id", "active", "points_required"], unique=False)
    op.create_table(
        "staff_pins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("pepper_id", sa.Text(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('staff', 'manager')", name="ck_staff_pins_role"),
        sa.ForeignKeyConstraint(
            ["store_id", "vendor_id"], ["stores.id", "stores.vendor_id"], name="fk_staff_pins_store_id"
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_staff_pins_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_pins"),
        sa.UniqueConstraint("id", "vendor_id", name="uq_staff_pins_id_vendor_id"),
    )
    op.create_index("ix_staff_pins_vendor_id", "staff_pins", ["vendor_id"], unique=False)
    op.create_index(
        "uq_staff_pins_pin_hash",
        "staff_pins",
        ["vendor_id", "pin_hash"],
        unique=True,
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "email_logs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=True),
        sa.Column("confirmation_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sending_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed', 'unknown')", name="ck_email_logs_state"),
        sa.ForeignKeyConstraint(
            ["card_id", "vendor_id"], ["loyalty_cards.id", "loyalty_cards.vendor_id"], name="fk_email_logs_card_id"
        ),
        sa.ForeignKeyConstraint(["confirmation_id"], ["confirmations.id"], name="fk_email_logs_confirmation_id"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_email_logs_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_email_logs"),
        sa.UniqueConstraint("vendor_id", "kind", "event_key", name="uq_email_logs_vendor_id_kind_event_key"),
    )
    op.create_index("ix_email_logs_address", "email_logs", ["vendor_id", "address_hash", "created_at"], unique=False)
    op.create_table(
        "terminals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.Column("paired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("staff_pin_id", sa.Uuid(), nullable=True),
        sa.Column("staff_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lock_minutes", sa.BigInteger(), nullable=False),
        sa.Column("left_handed", sa.Boolean(), nullable=False),
        sa.Column("sound", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("lock_minutes IN (1, 2, 5, 15)", name="ck_terminals_lock_minutes"),
        sa.ForeignKeyConstraint(
            ["staff_pin_id", "vendor_id"], ["staff_pins.id", "staff_pins.vendor_id"], name="fk_terminals_staff_pin_id"
        ),
        sa.ForeignKeyConstraint(
            ["store_id", "vendor_id"], ["stores.id", "stores.vendor_id"], name="fk_terminals_store_id"
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_terminals_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_terminals"),
        sa.UniqueConstraint("code_hash", name="uq_terminals_code_hash"),
        sa.UniqueConstraint("id", "vendor_id", name="uq_terminals_id_vendor_id"),
        sa.UniqueConstraint("token_hash", name="uq_terminals_token_hash"),
    )
    op.create_index("ix_terminals_vendor_id", "terminals", ["vendor_id"], unique=False)
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("staff_pin_id", sa.Uuid(), nullable=True),
        sa.Column("terminal_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_pin_id"], ["staff_pins.id"], name="fk_audit_events_staff_pin_id"),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name="fk_audit_events_terminal_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_audit_events_user_id"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_audit_events_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
    )
    op.create_index("ix_audit_events_vendor_time", "audit_events", ["vendor_id", "created_at"], unique=False)
    op.create_table(
        "loyalty_transactions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("transaction_type", sa.Text(), nullable=False),
        sa.Column("stamps_delta", sa.BigInteger(), nullable=False),
        sa.Column("points_delta", sa.BigInteger(), nullable=False),
        sa.Column("stamps_balance_after", sa.BigInteger(), nullable=False),
        sa.Column("points_balance_after", sa.BigInteger(), nullable=False),
        sa.Column("purchase_amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("order_reference", sa.Text(), nullable=True),
        sa.Column("reward_id", sa.Text(), nullable=True),
        sa.Column("reward_description", sa.Text(), nullable=True),
        sa.Column("related_transaction_id", sa.Uuid(), nullable=True),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("entry_version", sa.BigInteger(), nullable=False),
        sa.Column("entry_hash", sa.Text(), nullable=False),
        sa.Column("staff_pin_id", sa.Uuid(), nullable=True),
        sa.Column("terminal_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("api_key_id", sa.Uuid(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("transaction_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "transaction_type IN ('card_created', 'welcome_bonus', 'stamp_earned', 'stamp_redeemed', 'stamp_voided', "
            "'points_earned', 'points_redeemed', 'points_voided', 'redemption_voided', 'points_adjust"
            "ment', 'stamp_adjustment', 'points_expired', 'card_deactivated', 'card_reactivated')",
            name="ck_loyalty_transactions_transaction_type",
        ),
        sa.CheckConstraint(
            "abs(stamps_delta) <= 1000000 AND abs(points_delta) <= 100000000000", name="ck_loyalty_transactions_deltas"
        ),
        sa.CheckConstraint(
            "points_balance_after >= 0", name="ck_loyalty_transactions_points_balance_after_not_negative"
        ),
        sa.CheckConstraint("purchase_amount_cents > 0", name="ck_loyalty_transactions_purchase"),
        sa.CheckConstraint("seq > 0", name="ck_loyalty_transactions_seq"),
        sa.CheckConstraint(
            "stamps_balance_after >= 0", name="ck_loyalty_transactions_stamps_balance_after_not_negative"
        ),
        sa.ForeignKeyConstraint(
            ["card_id", "vendor_id"],
            ["loyalty_cards.id", "loyalty_cards.vendor_id"],
            name="fk_loyalty_transactions_card_id",
        ),
        sa.ForeignKeyConstraint(
            ["related_transaction_id"],
            ["loyalty_transactions.id"],
            name="fk_loyalty_transactions_related_transaction_id",
        ),
        sa.ForeignKeyConstraint(
            ["staff_pin_id", "vendor_id"],
            ["staff_pins.id", "staff_pins.vendor_id"],
            name="fk_loyalty_transactions_staff_pin_id",
        ),
        sa.ForeignKeyConstraint(
            ["store_id", "vendor_id"], ["stores.id", "stores.vendor_id"], name="fk_loyalty_transactions_store_id"
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id", "vendor_id"],
            ["terminals.id", "terminals.vendor_id"],
            name="fk_loyalty_transactions_terminal_id",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_loyalty_transactions_user_id"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_loyalty_transactions_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_loyalty_transactions"),
        sa.UniqueConstraint("card_id", "seq", name="uq_loyalty_transactions_card_id_seq"),
        sa.UniqueConstraint("id", "vendor_id", name="uq_loyalty_transactions_id_vendor_id"),
    )
    op.create_index(
        "ix_loyalty_transactions_order",
        "loyalty_transactions",
        ["card_id", "store_id", "order_reference"],
        unique=False,
        postgresql_where=sa.text("order_reference IS NOT NULL"),
    )
    op.create_index(
        "ix_loyalty_transactions_related",
        "loyalty_transactions",
        ["related_transaction_id"],
        unique=False,
        postgresql_where=sa.text("related_transaction_id IS NOT NULL"),
    )
    op.create_index(
        "ix_loyalty_transactions_terminal_time",
        "loyalty_transactions",
        ["terminal_id", "transaction_at"],
        unique=False,
        postgresql_where=sa.text("terminal_id IS NOT NULL"),
    )
    op.create_index(
        "ix_loyalty_transactions_vendor_time", "loyalty_transactions", ["vendor_id", "transaction_at"], unique=False
    )
    op.create_table(
        "transaction_details",
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["loyalty_transactions.id"], name="fk_transaction_details_transaction_id"
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_transaction_details_vendor_id"),
        sa.PrimaryKeyConstraint("transaction_id", name="pk_transaction_details"),
    )
    op.execute(REFUSE)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_ledger_change()")
