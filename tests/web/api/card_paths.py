"""Where the API has cards, and the id of none."""

CARDS = "/vendor/loyalty/cards"
NOBODY = "0199f1c2-7d1e-7cc3-98c4-dc0c0c07398f"
