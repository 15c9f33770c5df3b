"""The catalogues: every sentence is there in every language, says the same names, and keeps its language's marks."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from config import ROOT

LANGUAGES = ("de", "fr", "lb")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|(?<!%)%[sd]|\{\w*\}")
# French sets a narrow space before these, which never ends a line.
OPEN_MARK = re.compile(r"(?<=[^\W\d_])[;:!?»]|(?<=[^\u202f\u00a0])»|«(?=[^\u202f\u00a0])| [;:!?»]")
NO_SENTENCE = re.compile(r"Authorization:|https?:|&\w+;|[\w.-]+@|\{\w+\}:|^\W*$")


def messages(language: str) -> list[Message]:
    """Return what people read, without the header."""
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return [message for message in read_po(file, locale=language) if message.id]


def texts(value: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_everything_in_each_language(language: str) -> None:
    missing = [each.id for each in messages(language) if each.fuzzy or not all(texts(each.string))]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_fills_in_the_same_names_in_each_language(language: str) -> None:
    wrong = []
    for message in messages(language):
        asked = set(PLACEHOLDER.findall(texts(message.id)[-1]))
        wrong += [(message.id, said) for said in texts(message.string) if set(PLACEHOLDER.findall(said)) - asked]
        wrong += [(message.id, said) for said in texts(message.string)[-1:] if asked - set(PLACEHOLDER.findall(said))]
    assert wrong == []


def test_it_sets_french_marks_apart() -> None:
    said = [text for message in messages("fr") for text in texts(message.string) if not NO_SENTENCE.search(text)]
    assert [text for text in said if OPEN_MARK.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_ends_sentences_as_the_original_does(language: str) -> None:
    def end(text: str) -> str:
        return text.rstrip()[-1]

    pairs = [(texts(each.id)[-1], texts(each.string)[-1]) for each in messages(language)]
    wrong = [(asked, said) for asked, said in pairs if end(asked) in ".?!…" and end(asked) != end(said)]
    assert wrong == []


def test_it_has_the_catalogues_of_all_languages() -> None:
    found = {path.parts[-3] for path in Path(ROOT / "translations").glob("*/LC_MESSAGES/messages.po")}
    assert found == set(LANGUAGES)
