"""The fixed words of a class and its objects, in all languages at once: Google picks by the phone's own settings."""

from functools import cache

from loyalty.wallets.apple_texts import LOCALES, words
from loyalty.wallets.google_facts import Texts

# What no other pass says, in the order of LOCALES.
_MEMBER = ("Member", "Membre", "Mitglied", "Member")


@cache
def texts(name: str) -> Texts:
    """Return a word in every language that passes speak, by the name it has on all passes."""
    if name == "member":
        return dict(zip(LOCALES, _MEMBER, strict=True))
    return {locale: words(locale)[name] for locale in LOCALES}
