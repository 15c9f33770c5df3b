"""Customers ask for their data themselves, and inactive cards are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# What was agreed to before there was a history: its first rows.
TERMS_SO_FAR = """
INSERT INTO consents (id, vendor_id, customer_id, kind, given, version, source, created_at)
SELECT gen_random_uuid(), vendor_id, id, 'terms', true, terms_version, 'join', terms_accepted_at FROM customers
WHERE terms_version IS NOT NULL AND terms_accepted_at IS NOT NULL AND erased_at IS NULL
"""
NEWS_SO_FAR = """
INSERT INTO consents (id, vendor_id, customer_id, kind, given, version, source, created_at)
SELECT gen_random_uuid(), vendor_id, id, 'marketing', marketing_consent, '2026-11', 'join', marketing_consent_at
FROM customers WHERE marketing_consent_at IS NOT NULL AND erased_at IS NULL
"""


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("customers", sa.Column("erase_at", moment, nullable=True))
    op.add_column("customers", sa.Column("erase_reason", sa.Text(), nullable=True))
    op.add_column("customers", sa.Column("erase_asked_at", moment, nullable=True))
    op.add_column("customers", sa.Column("kept_at", moment, nullable=True))
    op.create_check_constraint(op.f("ck_customers_erase_reason"), "customers", "erase_reason IN ('asked', 'inactive')")
    op.create_index(
        "ix_customers_erase_at", "customers", ["erase_at"], postgresql_where=sa.text("erase_at IS NOT NULL")
    )
    op.add_column("vendors", sa.Column("retention_months", sa.BigInteger(), nullable=False, server_default="24"))
    op.add_column("vendors", sa.Column("privacy_contact", sa.Text(), nullable=False, server_default=""))
    op.add_column("vendors", sa.Column("privacy_note", sa.Text(), nullable=False, server_default=""))
    op.create_check_constraint(op.f("ck_vendors_retention_months"), "vendors", "retention_months BETWEEN 6 AND 120")
    op.create_table(
        "terms_versions",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("terms_text", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_terms_versions_vendor_id"),
        sa.PrimaryKeyConstraint("vendor_id", "version", name="pk_terms_versions"),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("kind IN ('terms', 'marketing')", name="ck_consents_kind"),
        sa.CheckConstraint("source IN ('join', 'counter', 'office', 'mail', 'my_data')", name="ck_consents_source"),
        sa.ForeignKeyConstraint(
            ["customer_id", "vendor_id"], ["customers.id", "customers.vendor_id"], name="fk_consents_customer_id"
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_consents_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_customer", "consents", ["customer_id", "created_at"])
    op.execute(TERMS_SO_FAR)
    op.execute(NEWS_SO_FAR)


def downgrade() -> None:
    op.drop_table("consents")
    op.drop_table("terms_versions")
    op.drop_constraint("ck_vendors_retention_months", "vendors")
    for name in ("privacy_note", "privacy_contact", "retention_months"):
        op.drop_column("vendors", name)
    op.drop_index("ix_customers_erase_at", "customers")
    op.drop_constraint("ck_customers_erase_reason", "customers")
    for name in ("kept_at", "erase_asked_at", "erase_reason", "erase_at"):
        op.drop_column("customers", name)
