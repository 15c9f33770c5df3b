"""People have second factors and sessions that say where, and the platform writes to them and for whom they invite."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# The first migration gave the table's name twice.
FIRST_NAME = "ck_confirmations_ck_confirmations_kind"
KINDS = "kind IN ('join', 'my_data', 'password')"
KINDS_NOW = "kind IN ('join', 'my_data', 'password', 'invitation')"


def upgrade() -> None:
    op.add_column("users", sa.Column("totp_secret", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_recovery_codes_user_id"),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name="pk_recovery_codes"),
    )
    for name in ("browser", "network", "device_hash"):
        op.add_column("user_sessions", sa.Column(name, sa.Text(), nullable=True))
    op.alter_column("email_logs", "vendor_id", nullable=True)
    op.create_index(
        "uq_email_logs_platform",
        "email_logs",
        ["kind", "event_key"],
        unique=True,
        postgresql_where=sa.text("vendor_id IS NULL"),
    )
    op.drop_constraint(FIRST_NAME, "confirmations")
    op.create_check_constraint(op.f("ck_confirmations_kind"), "confirmations", KINDS_NOW)
    op.create_index(
        "ix_confirmations_password", "confirmations", ["address"], postgresql_where=sa.text("kind = 'password'")
    )
    op.create_index(
        "ix_confirmations_invitation",
        "confirmations",
        ["vendor_id", "address"],
        postgresql_where=sa.text("kind = 'invitation'"),
    )


def downgrade() -> None:
    op.drop_index("ix_confirmations_invitation", "confirmations")
    op.drop_index("ix_confirmations_password", "confirmations")
    # What the release before does not know: links that were mailed and not used, and mails to people of the platform.
    op.execute("DELETE FROM email_logs WHERE vendor_id IS NULL OR kind = 'invitation'")
    op.execute("DELETE FROM confirmations WHERE kind IN ('invitation', 'password')")
    op.drop_constraint("ck_confirmations_kind", "confirmations")
    op.create_check_constraint(op.f(FIRST_NAME), "confirmations", KINDS)
    op.drop_index("uq_email_logs_platform", "email_logs")
    op.alter_column("email_logs", "vendor_id", nullable=False)
    for name in ("device_hash", "network", "browser"):
        op.drop_column("user_sessions", name)
    op.drop_table("recovery_codes")
    op.drop_column("users", "totp_step")
    op.drop_column("users", "totp_secret")
