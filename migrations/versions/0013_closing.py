"""Programs close on an announced day."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("loyalty_programs", sa.Column("closes_on", sa.Date()))
    op.add_column("loyalty_programs", sa.Column("closing_announced_at", sa.DateTime(timezone=True)))
    op.add_column("loyalty_programs", sa.Column("closing_told_to", sa.Uuid()))
    op.create_index(
        "ix_loyalty_programs_closes_on",
        "loyalty_programs",
        ["closes_on"],
        postgresql_where=sa.text("closes_on IS NOT NULL"),
    )
    op.create_check_constraint(
        op.f("ck_loyalty_programs_closing"),
        "loyalty_programs",
        "(closes_on IS NULL) = (closing_announced_at IS NULL)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_loyalty_programs_closing"), "loyalty_programs")
    op.drop_index("ix_loyalty_programs_closes_on", "loyalty_programs")
    for column in ("closing_told_to", "closing_announced_at", "closes_on"):
        op.drop_column("loyalty_programs", column)
