"""Colours of cards: what a colour is, what is readable on it, and by how much."""

import re

_HEX = re.compile(r"#?([0-9A-Fa-f]{6})", re.ASCII)
_BLACK = "#000000"
_WHITE = "#FFFFFF"


def normalise_colour(text: str) -> str:
    """Turn `1f4fd1` or `#1F4FD1` into `#1F4FD1`; raise ValueError for anything else."""
    match = _HEX.fullmatch(text.strip())
    if match is None:
        raise ValueError("A colour has six hexadecimal digits, like #1F4FD1.")
    return f"#{match.group(1).upper()}"


def fg(colour: str) -> str:
    """Return pure black or white, whichever is easier to read on the colour; never below 4.58 : 1.

    Softer blacks are not offered: #14181D falls to 4.22 : 1 on the worst background.
    """
    return _WHITE if contrast(colour, _WHITE) >= contrast(colour, _BLACK) else _BLACK


def contrast(one: str, other: str) -> float:
    """Return the WCAG 2 contrast of two colours, between 1 and 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[start : start + 2], 16)) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: int) -> float:
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
