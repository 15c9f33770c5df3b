"""Apple wallet: the pass of a card, the phones that hold passes, and the counter of changes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CARD_COLUMNS = (
    ("apple_serial_number", sa.Text()),
    ("apple_auth_token", sa.Text()),
    ("apple_change_seq", sa.BigInteger()),
    ("apple_content_hash", sa.Text()),
    ("apple_changed_at", sa.DateTime(timezone=True)),
    ("apple_fetched_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    # Without defaults, so that no row is rewritten and the release before goes on making cards.
    for name, kind in CARD_COLUMNS:
        op.add_column("loyalty_cards", sa.Column(name, kind, nullable=True))
    op.create_unique_constraint("uq_loyalty_cards_apple_serial_number", "loyalty_cards", ["apple_serial_number"])
    op.create_table(
        "apple_devices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_library_identifier", sa.Text(), nullable=False),
        sa.Column("push_token", sa.Text(), nullable=False),
        sa.Column("token_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_apple_devices"),
        sa.UniqueConstraint("device_library_identifier", name="uq_apple_devices_device_library_identifier"),
    )
    op.create_index("ix_apple_devices_push_token", "apple_devices", ["push_token"], unique=False)
    op.create_table(
        "apple_device_registrations",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("pass_type", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("reg_seq", sa.BigInteger(), nullable=False),
        sa.Column("pushed_seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id", "vendor_id"],
            ["loyalty_cards.id", "loyalty_cards.vendor_id"],
            name="fk_apple_device_registrations_card_id",
        ),
        sa.ForeignKeyConstraint(["device_id"], ["apple_devices.id"], name="fk_apple_device_registrations_device_id"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_apple_device_registrations_vendor_id"),
        sa.PrimaryKeyConstraint("device_id", "card_id", "pass_type", name="pk_apple_device_registrations"),
    )
    op.create_index("ix_apple_device_registrations_card_id", "apple_device_registrations", ["card_id"], unique=False)
    op.create_table(
        "wallet_clocks",
        sa.Column("pass_type", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pass_type", name="pk_wallet_clocks"),
    )


def downgrade() -> None:
    for table in ("wallet_clocks", "apple_device_registrations", "apple_devices"):
        op.drop_table(table)
    op.drop_constraint("uq_loyalty_cards_apple_serial_number", "loyalty_cards")
    for name, _ in reversed(CARD_COLUMNS):
        op.drop_column("loyalty_cards", name)
