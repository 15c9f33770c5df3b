"""What failed is found at once, and what runs by the clock notes that it did."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_outbox_failed",
        "outbox",
        ["id"],
        postgresql_where=sa.text("delivered_at IS NULL AND last_error IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_delivered",
        "outbox",
        ["kind", "delivered_at"],
        postgresql_where=sa.text("delivered_at IS NOT NULL"),
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_heartbeats"),
    )


def downgrade() -> None:
    op.drop_table("heartbeats")
    op.drop_index("ix_outbox_delivered", "outbox")
    op.drop_index("ix_outbox_failed", "outbox")
