"""What several files ask for: a server that plays Google, and a shop whose cards are switched off in masses."""

from tests.bulk import root, shop
from tests.google_platform import google

__all__ = ["google", "root", "shop"]
