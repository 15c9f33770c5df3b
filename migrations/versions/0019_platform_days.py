"""The platform's days are kept added up; lists of one store, of one person and of cards are read from their indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SUMS = (
    *("transactions", "visits", "cards_created", "stamps_earned", "stamps_redeemed", "stamps_voided"),
    *("stamps_adjusted", "points_earned", "points_redeemed", "points_voided", "points_adjusted", "points_expired"),
    *("redemptions", "purchases", "revenue_cents"),
)
LEDGER = {"ix_loyalty_transactions_store": "store_id", "ix_loyalty_transactions_staff": "staff_pin_id"}
NEWEST, CARDS = "ix_loyalty_cards_newest", "loyalty_cards"
VISITED = "ix_card_stats_last_visit_day"


def upgrade() -> None:
    _make_tables()
    # Days that were counted already; the next sweep adds them up.
    op.execute("INSERT INTO stats_platform_due (local_day) SELECT DISTINCT local_day FROM daily_stats")
    for name, column in LEDGER.items():
        _replace_index(name, ["vendor_id", column, "transaction_at"], f"{column} IS NOT NULL")
    op.drop_index(NEWEST, CARDS)
    mine = ["vendor_id", "created_at", "id"]
    only = sa.text("replaced_by_id IS NULL")
    op.create_index(NEWEST, CARDS, mine, postgresql_include=["is_active"], postgresql_where=only)
    op.drop_index(VISITED, "card_stats")
    op.create_index(VISITED, "card_stats", ["last_visit_day"], postgresql_where=sa.text("is_active"))


def downgrade() -> None:
    op.drop_index(VISITED, "card_stats")
    op.create_index(VISITED, "card_stats", ["last_visit_day"])
    op.drop_index(NEWEST, CARDS)
    op.create_index(NEWEST, CARDS, ["vendor_id", "created_at", "id"])
    for name, column in LEDGER.items():
        _replace_index(name, [column, "transaction_at"], f"{column} IS NOT NULL")
    op.drop_table("stats_platform_due")
    op.drop_table("daily_platform_stats")


def _make_tables() -> None:
    op.create_table(
        "daily_platform_stats",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_daily_platform_stats")),
        sa.UniqueConstraint("local_day", "currency", name=op.f("uq_daily_platform_stats_local_day_currency")),
    )
    op.create_table(
        "stats_platform_due",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stats_platform_due")),
    )
    op.create_index("ix_stats_platform_due_day", "stats_platform_due", ["local_day"])


def _replace_index(name: str, columns: list[str], where: str) -> None:
    op.drop_index(name, "loyalty_transactions")
    op.create_index(name, "loyalty_transactions", columns, postgresql_where=sa.text(where))
