"""How each language writes its dates and numbers."""

from babel import Locale


def formats_of(language: str) -> Locale:
    """Return whose dates and numbers a language has: English ones are British here, 20/11/2026 and not 11/20/26."""
    return Locale.parse("en_GB" if language == "en" else language)
