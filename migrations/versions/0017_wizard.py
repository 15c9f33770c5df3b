"""Shops are set up step by step."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("loyalty_programs", sa.Column("setup_step", sa.BigInteger(), nullable=False, server_default="1"))
    op.create_check_constraint(op.f("ck_loyalty_programs_setup_step"), "loyalty_programs", "setup_step BETWEEN 1 AND 5")
    op.add_column("loyalty_programs", sa.Column("poster_placed_at", sa.DateTime(timezone=True), nullable=True))
    # Shops at work are not asked for what they did long ago.
    op.execute(
        "UPDATE loyalty_programs SET setup_step = 5, poster_placed_at = activated_at WHERE activated_at IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_column("loyalty_programs", "poster_placed_at")
    op.drop_constraint(op.f("ck_loyalty_programs_setup_step"), "loyalty_programs")
    op.drop_column("loyalty_programs", "setup_step")
