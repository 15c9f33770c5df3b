"""What wallets showed last: the pass type of each program, and the address that passes were last made for."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Without defaults, so that no row is rewritten and the release before goes on writing.
COLUMNS = (("loyalty_programs", "apple_pass_type_id", sa.Text()),)


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


def downgrade() -> None:
    op.drop_table("wallet_setups")
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name)
