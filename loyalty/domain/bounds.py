"""The bounds of a program's settings: read by the forms, the services and the CHECKs of the table."""

from typing import Final

# setting -> (least, most); money in minor units of the vendor's currency, times in minutes or days.
PROGRAM: Final[dict[str, tuple[int, int]]] = {
    "stamps_target": (1, 100),
    "stamps_reward_value_cents": (0, 10_000_000),
    "max_stamps_per_action": (1, 20),
    "welcome_stamps": (0, 20),
    "points_per_euro": (1, 10_000),
    "minimum_purchase_cents": (0, 10_000_000),
    "minimum_redemption_points": (0, 1_000_000),
    "welcome_bonus_points": (0, 100_000),
    "points_expiration_days": (30, 3_650),
    "cooldown_minutes": (0, 10_080),
    "max_daily_stamps": (1, 100),
}
SETUP_STEP: Final = (1, 5)  # of the wizard
REWARD: Final[dict[str, tuple[int, int]]] = {
    "points_required": (1, 1_000_000),
    "value_cents": (0, 10_000_000),
    "sort_order": (0, 10_000),
}
# After how many months without a visit a customer is forgotten; "never" would keep people for no reason.
VENDOR: Final[dict[str, tuple[int, int]]] = {"retention_months": (6, 120)}
REQUESTS_PER_MINUTE: Final = (1, 100_000)  # of one key, instead of the product's own limits
POLICY: Final[dict[str, tuple[int, int]]] = {
    "pin_lockout_attempts": (3, 20),
    "pin_lockout_minutes": (1, 1_440),
}
ADJUSTMENT: Final = 100_000
PURCHASE: Final = 1_000_000_000
POINTS: Final = 100_000_000_000  # of one row of the ledger
CARD_NAME_LENGTH: Final = 100
URL_LENGTH: Final = 500
NAME_LENGTH: Final = 120
TEXT_LENGTH: Final = 20_000
COLOR: Final = r"^#[0-9A-Fa-f]{6}$"
