"""Whom a shop has erased is found at once, and all mails about a card."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_customers_erased_at", "customers", ["erased_at"], postgresql_where=sa.text("erased_at IS NOT NULL")
    )
    op.create_index("ix_email_logs_card", "email_logs", ["card_id"], postgresql_where=sa.text("card_id IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("ix_email_logs_card", "email_logs")
    op.drop_index("ix_customers_erased_at", "customers")
