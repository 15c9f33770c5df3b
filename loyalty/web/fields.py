"""Fields that take numbers and days as people type them, and keep what was typed when it is wrong."""

import re
import unicodedata
from abc import ABC, abstractmethod
from datetime import date

from wtforms import StringField
from wtforms.widgets import DateInput

from loyalty.errors import N_
from loyalty.web.sentences import gettext

_WHOLE = re.compile(r"[-\u2212]?[0-9]{1,15}")


class TypedField(StringField, ABC):  # type: ignore[misc] # WTForms publishes no types
    """A text field whose value is something else; `data` is None where nothing was typed."""

    missing = N_("Enter a number.")

    def __init__(self, *args: object, optional: bool = False, **kwargs: object) -> None:
        self.optional = optional
        super().__init__(*args, **kwargs)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.write(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed; WTForms shows the sentence of a ValueError beside the field."""
        self.data = None
        typed = unicodedata.normalize("NFKC", valuelist[0]).strip() if valuelist else ""
        if typed:
            self.data = self.read(typed)
        elif not self.optional:
            raise ValueError(gettext(self.missing))

    @abstractmethod
    def read(self, typed: str) -> object:
        """Turn the text into the value, or raise ValueError with a sentence."""

    def write(self, value: object) -> str:
        """Turn the value into text that `read` understands."""
        return str(value)


class WholeNumberField(TypedField):
    """Digits, with or without spaces between groups of them."""

    def read(self, typed: str) -> int:
        """Read a whole number."""
        plain = re.sub(r"[\s'’]", "", typed)
        if not _WHOLE.fullmatch(plain):
            raise ValueError(gettext("Write a whole number in digits."))
        return int(plain.replace("\u2212", "-"))


class DayField(TypedField):
    """A day, as browsers send it."""

    data: date | None
    missing = N_("Choose a day on the calendar.")
    widget = DateInput()

    def read(self, typed: str) -> date:
        """Read a day."""
        try:
            return date.fromisoformat(typed)
        except ValueError as error:
            raise ValueError(gettext("Write the day as 2026-11-20.")) from error
