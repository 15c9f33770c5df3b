"""The buttons that put a card into a phone's wallet, for the device that asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import request, url_for
from flask_babel import gettext

from loyalty.services import google_passes, links, passes
from loyalty.services.card_views import PublicCard
from loyalty.web import assets
from loyalty.web.locale import language

# What the name of a browser tells. An iPad may call itself a Macintosh; so the latter may be no phone at all.
_DEVICES: Final = (("Android", "google"), ("iPhone", "apple"), ("iPad", "apple"), ("Macintosh", "apple"))
_PHONES: Final = ("Android", "iPhone", "iPad")
# Languages that the makers have no button for see that of a neighbour.
_NEIGHBOURS: Final = {"lb": "fr"}


@dataclass(frozen=True, slots=True)
class WalletButton:
    """A way into a wallet; `picture` is the official button below `static`, where the platform has put it there."""

    kind: str
    address: str
    words: str
    picture: str | None


@dataclass(frozen=True, slots=True)
class WalletOffer:
    """The buttons for the device that asks, and those that are good on another one only."""

    own: Sequence[WalletButton] = ()
    others: Sequence[WalletButton] = ()


def offer(card: PublicCard) -> WalletOffer:
    """Offer the wallets that this card can be added to; a device that has none of them gets all side by side."""
    buttons = _buttons(card)
    browser = request.user_agent.string
    own = next((kind for name, kind in _DEVICES if name in browser), None)
    if own is None:
        return WalletOffer(own=buttons)
    mine = [button for button in buttons if button.kind == own]
    return WalletOffer(own=mine, others=[button for button in buttons if button not in mine])


def phone_address(card: PublicCard) -> str | None:
    """Return the address to open on a phone; None where a phone asks."""
    browser = request.user_agent.string
    return None if any(name in browser for name in _PHONES) else links.card(card.public_token)


def _buttons(card: PublicCard) -> list[WalletButton]:
    found: list[WalletButton] = []
    if not card.is_active:
        return found
    if link := passes.find_apple_link(public_token=card.public_token):
        found.append(_button("apple", link, gettext("Add to Apple Wallet")))
    if google_passes.is_on():
        address = url_for("google.save_card", token=card.public_token)
        found.append(_button("google", address, gettext("Add to Google Wallet")))
    return found


def _button(kind: str, address: str, words: str) -> WalletButton:
    return WalletButton(kind, address, words, _find_picture(kind, language()))


def _find_picture(kind: str, locale: str) -> str | None:
    wanted = (f"{kind}-{locale}", f"{kind}-{_NEIGHBOURS.get(locale, locale)}", kind)
    names = (f"wallet/{name}.svg" for name in wanted)
    return next((name for name in names if (assets.ROOT / name).is_file()), None)
