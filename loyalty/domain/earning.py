"""What a purchase earns: integers only, from the typed amount to the points."""

import re
import unicodedata

from loyalty.domain.bounds import PURCHASE
from loyalty.errors import N_

_DECIMALS = re.compile(r"(\d*)(?:[.,](\d*))?", re.ASCII)
_GROUPED = re.compile(r"(\d{1,3})((?:([ .,'])\d{3})(?:\3\d{3})*)(?:[.,](\d*))?", re.ASCII)


class AmountError(ValueError):
    """An amount that cannot be read; `sentence` is a message id, `details` fill its placeholders."""

    def __init__(self, sentence: str, **details: int) -> None:
        self.sentence = sentence
        self.details = details
        super().__init__(sentence % details)


def points_for(amount_minor: int, points_per_unit: int, digits: int) -> int:
    """Return the points for an amount in minor units, where `digits` of them make one unit; rounded down."""
    return int(amount_minor * points_per_unit // 10**digits)


def crossed_multiples(before: int, after: int, target: int) -> int:
    """Return how many multiples of the target lie above `before` and not above `after`."""
    return max(0, after // target - before // target)


def parse_amount(text: str, digits: int) -> int:
    """Return the minor units of an amount as people write it: "12,5", "12.50", "1 234,50", "1.234,50"."""
    typed = unicodedata.normalize("NFKC", text).replace("\u2019", "'").strip(" \u20ac")
    if not typed:
        raise AmountError(N_("Enter the amount of the purchase."))
    if typed.startswith(("-", "\u2212")):
        raise AmountError(N_("Enter an amount above zero, without a minus."))
    whole, decimals = _split(typed, digits)
    # Before int(): a text of a million digits would take seconds.
    if len(whole.lstrip("0")) > len(str(PURCHASE)):
        raise AmountError(N_("This amount is too large."))
    amount = int(whole + decimals.ljust(digits, "0"))
    if amount > PURCHASE:
        raise AmountError(N_("This amount is too large."))
    if amount == 0:
        raise AmountError(N_("Enter an amount above zero."))
    return amount


def _split(typed: str, digits: int) -> tuple[str, str]:
    """Return the digits before and after the decimal mark."""
    plain = _DECIMALS.fullmatch(typed)
    if plain and any(plain.groups()) and len(plain.group(2) or "") <= digits:
        return plain.group(1), plain.group(2) or ""
    grouped = _GROUPED.fullmatch(typed)
    if grouped and _is_grouping(grouped, digits):
        whole = "".join(letter for letter in grouped.group(1) + grouped.group(2) if letter.isdigit())
        if len(grouped.group(4) or "") <= digits:
            return whole, grouped.group(4) or ""
    if grouped or (plain and any(plain.groups())):
        raise AmountError(_too_many(digits), digits=digits)
    raise AmountError(N_("Write the amount in digits, such as 12,50."))


def _is_grouping(match: re.Match[str], digits: int) -> bool:
    """Whether the mark between groups of three can be nothing else: "12,345" could be meant either way."""
    mark, decimals = match.group(3), match.group(4)
    repeated = match.group(2).count(mark) > 1
    other_decimals = decimals is not None and match.group(0)[-len(decimals) - 1] != mark
    return mark in " '" or repeated or other_decimals or digits == 0


def _too_many(digits: int) -> str:
    if digits == 0:
        return N_("Write the amount without a comma.")
    return N_("Write at most %(digits)s digits after the comma.")
