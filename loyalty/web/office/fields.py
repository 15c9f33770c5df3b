"""Fields that take amounts and places as people type them, and keep what was typed when it is wrong."""

import math
import re
from decimal import Decimal

from babel import numbers
from flask_babel import get_locale
from flask_login import current_user

from loyalty.domain.earning import AmountError, parse_amount
from loyalty.web.fields import TypedField
from loyalty.web.sentences import gettext

_ZERO = re.compile(r"0+(?:[.,]0*)?")
_DECIMAL = re.compile(r"[-\u2212]?[0-9]{1,6}(?:[.,][0-9]{0,12})?")


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
