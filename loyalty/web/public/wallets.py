"""The buttons that put a card into a phone's wallet."""

from dataclasses import dataclass

from flask import request, url_for
from flask_babel import gettext

from loyalty.services import google_passes, passes
from loyalty.services.card_views import PublicCard
from loyalty.web.assets import ROOT
from loyalty.web.locale import language

_APPLE_DEVICES = ("iPhone", "iPad", "Macintosh")


@dataclass(frozen=True, slots=True)
class WalletButton:
    """A way into a wallet; `picture` is the official button below `static`, where the platform has put it there."""

    kind: str
    address: str
    words: str
    picture: str | None


def wallet_buttons(card: PublicCard) -> list[WalletButton]:
    """List the wallets that this card can be added to, that of the reader's phone first."""
    found = []
    if card.is_active and google_passes.is_on():
        address = url_for("google.save_card", token=card.public_token)
        found.append(_button("google", address, gettext("Add to Google Wallet")))
    if card.is_active and (link := passes.find_apple_link(public_token=card.public_token)):
        found.append(_button("apple", link, gettext("Add to Apple Wallet")))
    own = "apple" if any(name in request.user_agent.string for name in _APPLE_DEVICES) else "google"
    return sorted(found, key=lambda button: button.kind != own)


def _button(kind: str, address: str, words: str) -> WalletButton:
    names = (f"wallet/{kind}-{language()}.svg", f"wallet/{kind}.svg")
    return WalletButton(kind, address, words, next((name for name in names if (ROOT / name).is_file()), None))
