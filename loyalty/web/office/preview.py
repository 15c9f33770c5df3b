"""What of the preview somebody has chosen to see: in which wallet, and how full the card is."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request, url_for

from loyalty.domain.colours import normalise_colour
from loyalty.domain.values import PassContent
from loyalty.services import google_passes, passes
from loyalty.web.sentences import gettext

MODES = ("web", "apple", "google")
# How much of the way to the reward the card has gone.
SHARES = {"0": 0.0, "4": 0.4, "full": 1.0}


@dataclass(frozen=True, slots=True)
class Choice:
    """A wallet and a state of the card; an address without them means the first wallet and a card in use."""

    mode: str = MODES[0]
    state: str = "4"

    @property
    def share(self) -> float:
        """How full the card is."""
        return SHARES[self.state]

    @property
    def address(self) -> str:
        """The page with the program that shows the same again."""
        usual = Choice()
        said = {"as": (self.mode, usual.mode), "state": (self.state, usual.state)}
        query = urlencode({name: own for name, (own, other) in said.items() if own != other})
        return url_for("office.program") + (f"?{query}" if query else "")


def chosen(modes: Sequence[str] = MODES) -> Choice:
    """Read what was chosen of these, from the address before the form."""
    mode, state = request.values.get("as", ""), request.values.get("state", "")
    usual = Choice()
    return Choice(mode if mode in modes else usual.mode, state if state in SHARES else usual.state)


def missing_wallet(mode: str) -> str | None:
    """Say that customers cannot add their card to the wallet that is shown; None where they can."""
    if mode == "apple" and passes.find_pass_type() is None:
        return gettext("Apple Wallet is not set up on this platform, so customers see no button for it yet.")
    if mode == "google" and not google_passes.is_on():
        return gettext("Google Wallet is not set up on this platform, so customers see no button for it yet.")
    return None


def second_colour(typed: str | None, content: PassContent) -> str:
    """Return the colour of the band, that of the card where there is none."""
    try:
        return normalise_colour(typed or "")
    except ValueError:
        return content.color
