"""People are found by any of their names in an index; how many cards fit, and who saved one, is read from another."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NAMES = {
    "ix_customers_second_name": "(substring(lower(name), '^(?:[^ ]* ){1}(.*)$')) text_pattern_ops",
    "ix_customers_third_name": "(substring(lower(name), '^(?:[^ ]* ){2}(.*)$')) text_pattern_ops",
}
LONG = "ix_customers_long_name"
NEWEST, CARDS = "ix_loyalty_cards_newest", "loyalty_cards"


def upgrade() -> None:
    for name, words in NAMES.items():
        op.create_index(name, "customers", ["vendor_id", sa.text(words)])
    op.create_index(LONG, "customers", ["vendor_id"], postgresql_where=sa.text("name LIKE '% % % %'"))
    # What these indexes hold is counted for the planner before the first search asks.
    op.execute("ANALYZE customers")
    _replace_newest(["is_active", "customer_id", "google_saved_at"])


def downgrade() -> None:
    _replace_newest(["is_active"])
    op.drop_index(LONG, "customers")
    for name in reversed(NAMES):
        op.drop_index(name, "customers")


def _replace_newest(include: list[str]) -> None:
    op.drop_index(NEWEST, CARDS)
    mine = ["vendor_id", "created_at", "id"]
    only = sa.text("replaced_by_id IS NULL")
    op.create_index(NEWEST, CARDS, mine, postgresql_include=include, postgresql_where=only)
