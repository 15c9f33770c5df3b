"""A language that nobody speaks: every sentence of the catalogue with words two fifths longer, as in German."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask

from config import ROOT

# What is filled in, marked up or written as it is: it keeps its length.
_KEPT = re.compile(r"(%\(\w+\)[sd]|%%|\{\w*\}|<[^>]+>|&\w+;|https?://\S+)")
_WORD = re.compile(r"[^\W\d_]+")


def lengthen(text: str) -> str:
    """Write a sentence with longer words."""
    parts = _KEPT.split(text)
    return "".join(part if _KEPT.fullmatch(part) else _WORD.sub(_longer, part) for part in parts)


def _longer(word: re.Match[str]) -> str:
    middle = (len(word[0]) + 1) // 2
    return word[0][:middle] + "ë" * -(-len(word[0]) * 2 // 5) + word[0][middle:]


@contextmanager
def spoken_as(app: Flask, locale: str, folder: Path) -> Iterator[None]:
    """Let the application speak it in the place of one of its languages."""
    with (ROOT / "translations" / "messages.pot").open("rb") as file:
        texts = read_po(file)
    catalog = Catalog(locale=locale)
    for message in texts:
        if isinstance(message.id, tuple):
            catalog.add(message.id, tuple(lengthen(message.id[-1]) for _ in range(catalog.num_plurals)))
        elif message.id:
            catalog.add(message.id, lengthen(str(message.id)), context=message.context)
    target = folder / locale / "LC_MESSAGES" / "messages.mo"
    target.parent.mkdir(parents=True)
    with target.open("wb") as out:
        write_mo(out, catalog)
    babel = app.extensions["babel"]
    usual, cache = babel.translation_directories, babel.instance.domain_instance.cache
    babel.translation_directories = [str(folder)]
    cache.clear()
    try:
        yield
    finally:
        babel.translation_directories = usual
        cache.clear()
