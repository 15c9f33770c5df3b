"""Translated sentences with their types, which Flask-Babel leaves open."""

import flask_babel


def gettext(sentence: str, **values: object) -> str:
    """Return a sentence in the reader's language, its named placeholders filled."""
    return str(flask_babel.gettext(sentence, **values))


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """Return the sentence that fits a number, which is also the placeholder `num`."""
    return str(flask_babel.ngettext(one, many, num, **values))
