"""Points expire after a warning, and the clock's tasks are leased."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("loyalty_cards", sa.Column("last_expiration_warning_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("loyalty_cards", sa.Column("points_good_until", sa.Date(), nullable=True))
    op.add_column("loyalty_cards", sa.Column("points_kept_until", sa.Date(), nullable=True))
    op.add_column("loyalty_programs", sa.Column("expiry_ran_on", sa.Date(), nullable=True))
    op.create_table(
        "ended_expiry_rules",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id", "vendor_id"],
            ["loyalty_programs.id", "loyalty_programs.vendor_id"],
            name="fk_ended_expiry_rules_program_id",
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_ended_expiry_rules_vendor_id"),
        sa.PrimaryKeyConstraint("program_id", "number", name="pk_ended_expiry_rules"),
    )
    op.create_table(
        "clock_tasks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("late_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_late_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_clock_tasks"),
    )


def downgrade() -> None:
    op.drop_table("clock_tasks")
    op.drop_table("ended_expiry_rules")
    op.drop_column("loyalty_programs", "expiry_ran_on")
    op.drop_column("loyalty_cards", "points_kept_until")
    op.drop_column("loyalty_cards", "points_good_until")
    op.drop_column("loyalty_cards", "last_expiration_warning_at")
