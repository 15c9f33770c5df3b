"""Google Wallet: what Google knows of programs and cards, and the callbacks that were believed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Without defaults, so that no row is rewritten and the release before goes on making cards.
COLUMNS = {
    "loyalty_programs": ("google_issuer_id", "google_class_id", "google_class_hash"),
    "loyalty_cards": ("google_object_id", "google_content_hash"),
}
TIMES = ("google_saved_at", "google_checked_at")


def upgrade() -> None:
    for table, names in COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=True))
    for name in TIMES:
        op.add_column("loyalty_cards", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_unique_constraint("uq_loyalty_cards_google_object_id", "loyalty_cards", ["google_object_id"])
    op.create_index(
        "ix_loyalty_cards_google_checked",
        "loyalty_cards",
        ["google_checked_at"],
        postgresql_where=sa.text("google_object_id IS NOT NULL"),
    )
    op.create_index(
        "ix_loyalty_cards_google_saved",
        "loyalty_cards",
        ["program_id", "id"],
        postgresql_where=sa.text("google_saved_at IS NOT NULL"),
    )
    op.create_table(
        "google_nonces",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name="pk_google_nonces"),
    )
    op.create_index("ix_google_nonces_expires_at", "google_nonces", ["expires_at"])


def downgrade() -> None:
    op.drop_table("google_nonces")
    op.drop_index("ix_loyalty_cards_google_saved", "loyalty_cards")
    op.drop_index("ix_loyalty_cards_google_checked", "loyalty_cards")
    op.drop_constraint("uq_loyalty_cards_google_object_id", "loyalty_cards")
    for name in reversed(TIMES):
        op.drop_column("loyalty_cards", name)
    for table, names in COLUMNS.items():
        for name in reversed(names):
            op.drop_column(table, name)
