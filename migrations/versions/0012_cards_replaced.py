"""Cards are replaced by new ones, and customers may be told apart."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Whom a comparison finds alike, each as the statement in services/duplicates.py writes it.
_LETTERS = "lower(regexp_replace(name, '[^[:alpha:]]', '', 'g'))"
_MAILBOX = "replace(split_part(split_part(email, '@', 1), '+', 1), '.', '')"
_LAST_DIGITS = "right(phone, 8)"


def upgrade() -> None:
    op.add_column("loyalty_cards", sa.Column("replaced_by_id", sa.Uuid()))
    op.add_column("loyalty_cards", sa.Column("replaced_at", sa.DateTime(timezone=True)))
    op.add_column("loyalty_cards", sa.Column("replaced_reason", sa.Text()))
    op.add_column("loyalty_cards", sa.Column("google_key", sa.Uuid()))
    op.create_foreign_key(
        "fk_loyalty_cards_replaced_by_id_vendor_id_loyalty_cards",
        "loyalty_cards",
        "loyalty_cards",
        ["replaced_by_id", "vendor_id"],
        ["id", "vendor_id"],
    )
    op.create_check_constraint(
        op.f("ck_loyalty_cards_replaced"),
        "loyalty_cards",
        "replaced_by_id IS NULL OR (NOT is_active AND ledger_seq = 0 AND replaced_at IS NOT NULL)",
    )
    op.create_index(
        "ix_loyalty_cards_replaced_by",
        "loyalty_cards",
        ["replaced_by_id"],
        postgresql_where=sa.text("replaced_by_id IS NOT NULL"),
    )
    op.create_table(
        "customers_apart",
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("first_id", "second_id", name="pk_customers_apart"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_customers_apart_vendor_id_vendors"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_customers_apart_user_id_users"),
        sa.ForeignKeyConstraint(
            ["first_id", "vendor_id"],
            ["customers.id", "customers.vendor_id"],
            name="fk_customers_apart_first_id_vendor_id_customers",
        ),
        sa.ForeignKeyConstraint(
            ["second_id", "vendor_id"],
            ["customers.id", "customers.vendor_id"],
            name="fk_customers_apart_second_id_vendor_id_customers",
        ),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_customers_apart_order")),
    )
    op.create_index("ix_customers_letters", "customers", ["vendor_id", sa.text(f"({_LETTERS})")])
    op.create_index("ix_customers_mailbox", "customers", ["vendor_id", sa.text(f"({_MAILBOX})")])
    op.create_index("ix_customers_last_digits", "customers", ["vendor_id", sa.text(f"({_LAST_DIGITS})")])


def downgrade() -> None:
    op.drop_index("ix_customers_last_digits", "customers")
    op.drop_index("ix_customers_mailbox", "customers")
    op.drop_index("ix_customers_letters", "customers")
    op.drop_table("customers_apart")
    # Without the column nothing tells an old number from a card: what it pointed at goes with it.
    op.execute(
        "DELETE FROM apple_device_registrations WHERE card_id IN "
        "(SELECT id FROM loyalty_cards WHERE replaced_by_id IS NOT NULL)"
    )
    op.execute("DELETE FROM loyalty_cards WHERE replaced_by_id IS NOT NULL")
    op.drop_index("ix_loyalty_cards_replaced_by", "loyalty_cards")
    op.drop_constraint(op.f("ck_loyalty_cards_replaced"), "loyalty_cards")
    op.drop_constraint("fk_loyalty_cards_replaced_by_id_vendor_id_loyalty_cards", "loyalty_cards")
    for column in ("google_key", "replaced_reason", "replaced_at", "replaced_by_id"):
        op.drop_column("loyalty_cards", column)
