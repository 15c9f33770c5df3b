"""Names and other words on one line: what may stand in them, and whether anybody can see them."""

import re
import unicodedata
from typing import Final

_CONTROLS: Final = "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff"
# They turn the direction of the text around them: a name could show itself, and what follows it, as another.
_TURNS: Final = "\u202a-\u202e\u2066-\u2069"
_UNFIT: Final = re.compile(f"[{_CONTROLS}]")
_UNFIT_IN_LINES: Final = re.compile(f"[{_CONTROLS}{_TURNS}\t\n]")
# Letters and signs that show nothing: the fillers of Hangul, the empty cell of Braille.
_BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Persian, Hindi and families of emoji are written with them.
_JOINERS: Final = re.compile("[\u200c\u200d]")


def is_fit(text: str, *, lines: bool = False) -> bool:
    """Whether a text can be shown anywhere as it is, on one line unless it may have more."""
    return not (_UNFIT if lines else _UNFIT_IN_LINES).search(text)


def is_visible(text: str) -> bool:
    """Whether anybody sees something of a text: a letter, a number, a sign, none of those that are blank."""
    return any(unicodedata.category(letter)[0] in "LNPS" and letter not in _BLANK for letter in text)


def is_name(text: str) -> bool:
    """Whether a text on one line can be the name of a person: nothing in it is hidden."""
    return _JOINERS.sub("", text).isprintable()
