"""Sessions of the platform's admins act for a shop, and masses of cards are switched off together."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_sessions", sa.Column("acting_vendor_id", sa.Uuid(), nullable=True))
    op.add_column("user_sessions", sa.Column("acting_until", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key("fk_user_sessions_acting_vendor_id", "user_sessions", "vendors", ["acting_vendor_id"], ["id"])
    # The release before writes events without the column.
    op.add_column("audit_events", sa.Column("on_behalf", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "ix_audit_events_on_behalf", "audit_events", ["vendor_id", "id"], postgresql_where=sa.text("on_behalf")
    )
    _create_bulk_deactivations()
    _create_bulk_cards()


def _create_bulk_deactivations() -> None:
    op.create_table(
        "bulk_deactivations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("undo_user_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("choice", postgresql.JSONB(), nullable=False),
        sa.Column("cards", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'undoing', 'undone')", name=op.f("ck_bulk_deactivations_state")
        ),
        sa.CheckConstraint("cards >= 0", name=op.f("ck_bulk_deactivations_cards_not_negative")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_bulk_deactivations_vendor_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_bulk_deactivations_user_id"),
        sa.ForeignKeyConstraint(["undo_user_id"], ["users.id"], name="fk_bulk_deactivations_undo_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_deactivations"),
        sa.UniqueConstraint("id", "vendor_id", name="uq_bulk_deactivations_id_vendor_id"),
    )
    op.create_index("ix_bulk_deactivations_vendor_time", "bulk_deactivations", ["vendor_id", "created_at"])


def _create_bulk_cards() -> None:
    op.create_table(
        "bulk_cards",
        sa.Column("bulk_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'off', 'skipped', 'on', 'kept', 'left')", name=op.f("ck_bulk_cards_state")
        ),
        sa.ForeignKeyConstraint(
            ["bulk_id", "vendor_id"],
            ["bulk_deactivations.id", "bulk_deactivations.vendor_id"],
            name="fk_bulk_cards_bulk_id",
        ),
        sa.ForeignKeyConstraint(
            ["card_id", "vendor_id"], ["loyalty_cards.id", "loyalty_cards.vendor_id"], name="fk_bulk_cards_card_id"
        ),
        sa.PrimaryKeyConstraint("bulk_id", "card_id", name="pk_bulk_cards"),
    )
    op.create_index("ix_bulk_cards_state", "bulk_cards", ["bulk_id", "state", "card_id"])


def downgrade() -> None:
    # What the release before does not know: masses that are still to be gone through.
    op.execute("DELETE FROM outbox WHERE kind = 'cards.bulk'")
    op.drop_table("bulk_cards")
    op.drop_table("bulk_deactivations")
    op.drop_index("ix_audit_events_on_behalf", "audit_events")
    op.drop_column("audit_events", "on_behalf")
    op.drop_constraint("fk_user_sessions_acting_vendor_id", "user_sessions")
    op.drop_column("user_sessions", "acting_until")
    op.drop_column("user_sessions", "acting_vendor_id")
