"""A shop's own words in mails: plain text with names in braces, such as {shop}, that are filled in.

Nothing else means anything in it: no HTML, no expressions.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from loyalty.domain.mails import BODY_LENGTH, SUBJECT_LENGTH
from loyalty.errors import N_

# The names that a shop may use in each kind, beside those of every mail.
EVERYWHERE: Final = ("shop", "card")
PLACEHOLDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "enrollment": (*EVERYWHERE, "card_number"),
    "card_link": (*EVERYWHERE, "card_number"),
    "confirm_join": EVERYWHERE,
    "confirm_my_data": EVERYWHERE,
    "welcome_bonus": (*EVERYWHERE, "points", "stamps"),
    "reward_ready": (*EVERYWHERE, "reward"),
    "points_expiring": (*EVERYWHERE, "points", "date"),
    "points_expired": (*EVERYWHERE, "points"),
    "address_changed": (*EVERYWHERE, "address"),
    "card_replaced": (*EVERYWHERE, "card_number"),
    "program_closing": (*EVERYWHERE, "date"),
    "retention_notice": (*EVERYWHERE, "date"),
    "birthday": (*EVERYWHERE, "points", "stamps"),
    "we_miss_you": EVERYWHERE,
}
_NAME: Final = re.compile(r"\{([^{}\n]*)\}")
_AROUND: Final = 20


class WordingError(ValueError):
    """Words that cannot be used; `sentence` is a message id, `details` fill its placeholders."""

    def __init__(self, sentence: str, **details: str) -> None:
        self.sentence = sentence
        self.details = details
        super().__init__(sentence % details)


def tidy(text: str, *, lines: bool) -> str:
    """Return text as it is kept: one kind of line break, or none at all, and nothing that cannot be printed."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if not lines:
        return " ".join("".join(letter if letter.isprintable() else " " for letter in plain).split())
    kept = "".join(letter if letter == "\n" or _is_kept(letter) else " " for letter in plain)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in kept.split("\n"))).strip()


def find_problems(*, kind: str, subject: str, body: str) -> dict[str, WordingError]:
    """Return what is wrong with each field of a wording; empty where it can be used."""
    problems = {}
    for name, text, longest in (("subject", subject, SUBJECT_LENGTH), ("body", body, BODY_LENGTH)):
        try:
            _check(kind, text, longest)
        except WordingError as problem:
            problems[name] = problem
    return problems


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put the values where their names stand; what a value holds is never looked at again."""
    return _NAME.sub(lambda match: values.get(match.group(1), match.group(0)), text)


def paragraphs(text: str) -> list[list[str]]:
    """Return the paragraphs of a text, each as its lines."""
    return [part.strip("\n").split("\n") for part in text.split("\n\n") if part.strip()]


def _is_kept(letter: str) -> bool:
    """Whether it is printed, or is one of the spaces where no line may break: French needs them before “?”."""
    return letter.isprintable() or unicodedata.category(letter) == "Zs"


def _check(kind: str, text: str, longest: int) -> None:
    if not text:
        raise WordingError(N_("Write something here."))
    if len(text) > longest:
        raise WordingError(N_("Use at most %(longest)s characters."), longest=str(longest))
    allowed = PLACEHOLDERS[kind]
    if unknown := [name for name in _NAME.findall(text) if name not in allowed]:
        names = ", ".join(f"{{{name}}}" for name in allowed)
        sentence = N_("“%(name)s” is not a name that this mail can fill in. These are: %(names)s.")
        raise WordingError(sentence, name=f"{{{unknown[0][:_AROUND]}}}", names=names)
    rest = _NAME.sub(" ", text)
    if brace := re.search(r"[{}]", rest):
        near = rest[max(0, brace.start() - _AROUND) : brace.start() + _AROUND].strip()
        raise WordingError(N_("A brace stands alone in “%(near)s”. Names are written like this: {shop}."), near=near)
