"""What wallets showed last: up to which entry of a card, the pass type of each program, and who made the passes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Without defaults, so that no row is rewritten and the release before goes on writing.
COLUMNS = (
    ("loyalty_programs", "apple_pass_type_id", sa.Text()),
    ("loyalty_cards", "apple_shown_seq", sa.BigInteger()),
    ("loyalty_cards", "google_shown_seq", sa.BigInteger()),
    ("loyalty_cards", "google_told_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_table(
        "wallet_setups",
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("setup", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("wallet", name="pk_wallet_setups"),
    )
    op.create_index("ix_loyalty_cards_newest", "loyalty_cards", ["vendor_id", "created_at", "id"])
    op.create_index("ix_outbox_subject", "outbox", ["subject_id"], postgresql_where=sa.text("delivered_at IS NULL"))


def downgrade() -> None:
    op.drop_index("ix_outbox_subject", "outbox")
    op.drop_index("ix_loyalty_cards_newest", "loyalty_cards")
    op.drop_table("wallet_setups")
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name)
