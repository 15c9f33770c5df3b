"""Shops word their mails themselves, and mails come back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NOBODY_ANSWERED = "state IN ('failed', 'unknown')"


def upgrade() -> None:
    op.add_column(
        "email_logs", sa.Column("facts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False)
    )
    op.create_index("ix_email_logs_newest", "email_logs", ["vendor_id", "id"])
    op.create_index(
        "ix_email_logs_unanswered", "email_logs", ["vendor_id", "id"], postgresql_where=sa.text(NOBODY_ANSWERED)
    )
    op.add_column("customers", sa.Column("email_bounced_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_customers_birthday",
        "customers",
        ["vendor_id"],
        postgresql_where=sa.text("marketing_consent AND birth_date IS NOT NULL"),
    )
    op.add_column(
        "vendor_members", sa.Column("daily_digest", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    _create_email_templates()
    _create_mail_settings()


def _create_email_templates() -> None:
    op.create_table(
        "email_templates",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("locale IN ('en', 'fr', 'de', 'lb')", name=op.f("ck_email_templates_locale")),
        sa.CheckConstraint("length(subject) BETWEEN 1 AND 120", name=op.f("ck_email_templates_subject")),
        sa.CheckConstraint("length(body) BETWEEN 1 AND 4000", name=op.f("ck_email_templates_body")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_email_templates_vendor_id"),
        sa.PrimaryKeyConstraint("vendor_id", "kind", "locale", name="pk_email_templates"),
    )


def _create_mail_settings() -> None:
    op.create_table(
        "mail_settings",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("sender_name", sa.Text(), nullable=True),
        sa.Column("birthday", sa.Boolean(), nullable=False),
        sa.Column("birthday_points", sa.BigInteger(), nullable=False),
        sa.Column("birthday_stamps", sa.BigInteger(), nullable=False),
        sa.Column("miss_you", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("birthday_points BETWEEN 0 AND 10000", name=op.f("ck_mail_settings_birthday_points")),
        sa.CheckConstraint("birthday_stamps BETWEEN 0 AND 10", name=op.f("ck_mail_settings_birthday_stamps")),
        sa.CheckConstraint("length(sender_name) BETWEEN 1 AND 64", name=op.f("ck_mail_settings_sender_name")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_mail_settings_vendor_id"),
        sa.PrimaryKeyConstraint("vendor_id", name="pk_mail_settings"),
    )


def downgrade() -> None:
    op.drop_table("mail_settings")
    op.drop_table("email_templates")
    op.drop_column("vendor_members", "daily_digest")
    op.drop_index("ix_customers_birthday", "customers")
    op.drop_column("customers", "email_bounced_at")
    op.drop_index("ix_email_logs_unanswered", "email_logs")
    op.drop_index("ix_email_logs_newest", "email_logs")
    op.drop_column("email_logs", "facts")
