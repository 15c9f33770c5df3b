"""Sums per day that the statistics read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DAILY = (
    "transactions",
    "visits",
    "cards_created",
    "stamps_earned",
    "stamps_redeemed",
    "stamps_voided",
    "stamps_adjusted",
    "points_earned",
    "points_redeemed",
    "points_voided",
    "points_adjusted",
    "points_expired",
    "redemptions",
    "purchases",
    "revenue_cents",
    "members_change",
    "stamps_change",
    "points_change",
)
STAFF = ("transactions", "cards_created", "stamps_earned", "points_earned", "redemptions", "voids")
TABLES = (
    "daily_stats",
    "daily_visit_times",
    "daily_staff_stats",
    "stats_standing",
    "card_stats",
    "stats_due",
    "stats_progress",
    "staff_reports",
)


def upgrade() -> None:
    _by_day("daily_stats", [], DAILY)
    op.create_index("ix_daily_stats_local_day", "daily_stats", ["local_day"], unique=False)
    _by_day("daily_visit_times", [sa.Column("quarter_at", sa.DateTime(timezone=True), nullable=False)], ("visits",))
    _by_day("daily_staff_stats", [sa.Column("staff_pin_id", sa.Uuid(), nullable=False)], STAFF)
    op.create_index("ix_daily_staff_stats_local_day", "daily_staff_stats", ["local_day"], unique=False)
    op.create_table(
        "stats_standing",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("members", "stamps", "points")),
        sa.PrimaryKeyConstraint("id", name="pk_stats_standing"),
        sa.UniqueConstraint(
            "vendor_id", "store_id", name="uq_stats_standing_vendor_id_store_id", postgresql_nulls_not_distinct=True
        ),
    )
    _by_card()
    op.create_table(
        "stats_due",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stats_due"),
    )
    op.create_index("ix_stats_due_vendor_day", "stats_due", ["vendor_id", "local_day"], unique=False)
    op.create_table(
        "stats_progress",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("searched_to", sa.Uuid(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_stats_progress_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_stats_progress"),
    )
    op.create_table(
        "staff_reports",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("since_day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_staff_reports_vendor_id"),
        sa.PrimaryKeyConstraint("vendor_id", name="pk_staff_reports"),
    )


def _by_day(table: str, dimensions: list[sa.Column[object]], counts: tuple[str, ...]) -> None:
    key = ["vendor_id", "local_day", "store_id", *(column.name for column in dimensions)]
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("local_day", sa.Date(), nullable=False),
        *dimensions,
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in counts),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint(*key, name="_".join(("uq", table, *key)), postgresql_nulls_not_distinct=True),
    )


def _by_card() -> None:
    op.create_table(
        "card_stats",
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("ledger_seq", sa.BigInteger(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("joined_day", sa.Date(), nullable=False),
        sa.Column("visits", sa.BigInteger(), nullable=False),
        sa.Column("first_visit_day", sa.Date(), nullable=True),
        sa.Column("second_visit_day", sa.Date(), nullable=True),
        sa.Column("last_visit_day", sa.Date(), nullable=True),
        sa.Column("first_reward_day", sa.Date(), nullable=True),
        sa.Column("visited_months", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.PrimaryKeyConstraint("card_id", name="pk_card_stats"),
    )
    op.create_index("ix_card_stats_joined", "card_stats", ["vendor_id", "joined_day"], unique=False)
    op.create_index("ix_card_stats_visited", "card_stats", ["vendor_id", "last_visit_day"], unique=False)
    op.create_index("ix_card_stats_last_visit_day", "card_stats", ["last_visit_day"], unique=False)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
