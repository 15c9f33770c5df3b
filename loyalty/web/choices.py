"""Countries, currencies and time zones to choose from, by their names in the reader's language."""

from babel import Locale, numbers
from flask_babel import get_locale
from wtforms.fields.choices import SelectChoice

from loyalty.domain import settings


def countries() -> list[SelectChoice]:
    """List the countries by name."""
    names = _names().territories
    return _sorted({code: names.get(code, code) for code in settings.COUNTRIES})


def country_name(code: str) -> str:
    """Return what a country is called."""
    return str(_names().territories.get(code, code))


def currencies() -> list[SelectChoice]:
    """List the currencies that somebody pays with today, by their three letters."""
    names = _names().currencies
    used = {code for country in settings.COUNTRIES for code in numbers.get_territory_currencies(country)}
    return [SelectChoice(code, f"{code} – {names.get(code, code)}") for code in sorted(used)]


def zones(present: str) -> list[SelectChoice]:
    """List the time zones, the present one always among them."""
    known = {zone for zone in settings.zones() if "/" in zone} | {present}
    return [SelectChoice(zone, zone.replace("_", " ")) for zone in sorted(known)]


def _names() -> Locale:
    return Locale.parse(str(get_locale() or "en"))


def _sorted(named: dict[str, str]) -> list[SelectChoice]:
    return [SelectChoice(*pair) for pair in sorted(named.items(), key=lambda pair: pair[1])]
