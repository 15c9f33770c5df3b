"""Keys of the JSON API, and which of them wrote a row of the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("requests_per_minute", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("id", "vendor_id", name="uq_api_keys_id_vendor_id"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_api_keys_vendor_id"),
        sa.CheckConstraint("scope IN ('read', 'till', 'manage', 'platform')", name=op.f("ck_api_keys_scope")),
        sa.CheckConstraint("(scope = 'platform') = (vendor_id IS NULL)", name=op.f("ck_api_keys_platform")),
        sa.CheckConstraint("requests_per_minute BETWEEN 1 AND 100000", name=op.f("ck_api_keys_requests_per_minute")),
    )
    op.create_index("ix_api_keys_vendor_id", "api_keys", ["vendor_id"])
    op.create_table(
        "api_key_secrets",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("ends_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_api_key_secrets"),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name="fk_api_key_secrets_api_key_id"),
    )
    op.create_index("ix_api_key_secrets_api_key_id", "api_key_secrets", ["api_key_id"])
    op.create_table(
        "api_key_stores",
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("api_key_id", "store_id", name="pk_api_key_stores"),
        sa.ForeignKeyConstraint(
            ["api_key_id", "vendor_id"], ["api_keys.id", "api_keys.vendor_id"], name="fk_api_key_stores_api_key_id"
        ),
        sa.ForeignKeyConstraint(
            ["store_id", "vendor_id"], ["stores.id", "stores.vendor_id"], name="fk_api_key_stores_store_id"
        ),
    )
    op.create_foreign_key(
        "fk_loyalty_transactions_api_key_id",
        "loyalty_transactions",
        "api_keys",
        ["api_key_id", "vendor_id"],
        ["id", "vendor_id"],
    )
    op.add_column("audit_events", sa.Column("api_key_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_audit_events_api_key_id", "audit_events", "api_keys", ["api_key_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint("fk_audit_events_api_key_id", "audit_events", type_="foreignkey")
    op.drop_column("audit_events", "api_key_id")
    op.drop_constraint("fk_loyalty_transactions_api_key_id", "loyalty_transactions", type_="foreignkey")
    op.drop_table("api_key_stores")
    op.drop_table("api_key_secrets")
    op.drop_table("api_keys")
