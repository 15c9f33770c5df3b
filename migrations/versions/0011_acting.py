"""Sessions of the platform's admins act for a shop, and masses of cards are switched off together."""

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
