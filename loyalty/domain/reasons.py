"""Why something is done by hand: in words that stand in the history."""

from collections.abc import Mapping
from typing import Final

from loyalty.domain.settings import Check, SettingError
from loyalty.errors import N_

MOST_LETTERS: Final = 500


def fault(reason: str) -> str | None:
    """Return the sentence that says what is wrong with a reason, or None."""
    if not reason.strip():
        return N_("Say why: the reason stands in the history.")
    return N_("Say it in 500 letters or fewer.") if len(reason.strip()) > MOST_LETTERS else None


def _check(value: object) -> object:
    if sentence := fault(str(value or "")):
        raise SettingError(sentence)
    return value


CHECKS: Final[Mapping[str, Check]] = {"reason": _check}
