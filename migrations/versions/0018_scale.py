"""Rows of a rare kind, of one store or of one person are found without reading all of a large shop's ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLE = "loyalty_transactions"
INDEXES = {
    "ix_loyalty_transactions_kind": (["vendor_id", "transaction_type", "transaction_at"], None),
    "ix_loyalty_transactions_store": (["store_id", "transaction_at"], "store_id IS NOT NULL"),
    "ix_loyalty_transactions_staff": (["staff_pin_id", "transaction_at"], "staff_pin_id IS NOT NULL"),
}


def upgrade() -> None:
    for name, (columns, where) in INDEXES.items():
        op.create_index(name, TABLE, columns, postgresql_where=sa.text(where) if where else None)


def downgrade() -> None:
    for name in reversed(INDEXES):
        op.drop_index(name, TABLE)
