"""Fields that take numbers and amounts as people type them, and keep what was typed when it is wrong."""

import math
import re
import unicodedata
from decimal import Decimal

from babel import numbers
from flask_babel import get_locale
from flask_login import current_user
from wtforms import StringField

from loyalty.domain.earning import AmountError, parse_amount
from loyalty.web.sentences import gettext

_WHOLE = re.compile(r"[-\u2212]?[0-9]{1,15}")
_ZERO = re.compile(r"0+(?:[.,]0*)?")
_DECIMAL = re.compile(r"[-\u2212]?[0-9]{1,6}(?:[.,][0-9]{0,12})?")


class TypedField(StringField):  # type: ignore[misc] # WTForms publishes no types
    """A text field whose value is something else; `data` is None where nothing was typed."""

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
            raise ValueError(gettext("Enter a number."))

    def read(self, typed: str) -> object:
        """Turn the text into the value, or raise ValueError with a sentence."""
        raise NotImplementedError

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


class MoneyField(TypedField):
    """An amount in the shop's currency, "12,50" or "12.50"; the value is in its minor units."""

    @property
    def currency(self) -> str:
        """The currency of the shop whose office this is."""
        return str(current_user.session.currency)

    def read(self, typed: str) -> int:
        """Read an amount; unlike at the till, nothing is an amount too."""
        if _ZERO.fullmatch(typed):
            return 0
        try:
            return parse_amount(typed, self.digits)
        except AmountError as refusal:
            raise ValueError(gettext(refusal.sentence, **refusal.details)) from refusal

    def write(self, value: object) -> str:
        """Write an amount with the decimal mark of the reader's language."""
        amount = Decimal(str(value)).scaleb(-self.digits)
        pattern = "0." + "0" * self.digits if self.digits else "0"
        return numbers.format_decimal(amount, format=pattern, locale=get_locale())

    @property
    def digits(self) -> int:
        """How many digits of the currency stand after the decimal mark."""
        return numbers.get_currency_precision(self.currency)


class DecimalField(TypedField):
    """A number with a decimal mark, such as a latitude."""

    def read(self, typed: str) -> float:
        """Read a number with a comma or a point."""
        if not _DECIMAL.fullmatch(typed):
            raise ValueError(gettext("Write a number in digits, such as 49.6116."))
        value = float(typed.replace("\u2212", "-").replace(",", "."))
        return value if math.isfinite(value) else 0.0
