"""Language, time zone, and how numbers, days and money are written for the reader."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from flask import Flask, Response, current_app, g, request
from flask_babel import Babel, get_locale, gettext, refresh
from jinja2 import pass_context
from jinja2.runtime import Context

from loyalty.domain.codes import format_card_number
from loyalty.domain.formats import formats_of

LANGUAGES = {"en": "English", "fr": "Français", "de": "Deutsch", "lb": "Lëtzebuergesch"}
COOKIE = "lang"
babel = Babel()


def init(app: Flask) -> None:
    """Choose the language of each request and give templates their filters."""
    babel.init_app(app, locale_selector=select_language, timezone_selector=lambda: zone())
    app.after_request(_remember_language)
    counted: Callable[..., str] = cast("Any", app.jinja_env.globals["ngettext"])

    @pass_context
    def ngettext(context: Context, one: str, many: str, count: int, **names: object) -> str:
        # A sentence says its number as a table does: 5,000 and not 5000.
        return counted(context, one, many, count, **({"num": number(count)} | names))

    app.jinja_env.globals.update(languages=languages, language=language, page_address=page_address, ngettext=ngettext)
    app.jinja_env.filters.update(
        ago=ago,
        card_number=format_card_number,
        clock_time=clock_time,
        day=day,
        moment=moment,
        money=money,
        month=month,
        number=number,
        percent=percent,
        ratio=ratio,
        short_day=short_day,
        weekday=weekday,
    )


def languages() -> dict[str, str]:
    """Return the languages that have a catalog, by their own names."""
    available = {str(locale) for locale in babel_locales()}
    return {code: name for code, name in LANGUAGES.items() if code in available or code == "en"}


def babel_locales() -> list[Locale]:
    """Return the locales found in the folder of translations, read once."""
    if "loyalty_locales" not in current_app.extensions:
        with current_app.app_context():
            current_app.extensions["loyalty_locales"] = current_app.extensions["babel"].instance.list_translations()
    found: list[Locale] = current_app.extensions["loyalty_locales"]
    return found


def select_language() -> str:
    """Take `?lang=`, else what was chosen before, else what the shop speaks, else what the browser asks for."""
    known = languages()
    if is_for_programs():
        return request.accept_languages.best_match(list(known)) or "en"
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE), g.get("preferred_language")):
        if wish in known:
            return str(wish)
    return request.accept_languages.best_match(list(known)) or g.get("shop_language") or "en"


def is_for_programs() -> bool:
    """Whether a program asks: no cookie counts for it, and none is given to it."""
    return request.path.startswith("/api/")


def prefer(*, locale: str, timezone: str) -> None:
    """Speak a surface's own language and time zone, unless the reader chose another language."""
    g.preferred_language = locale
    g.zone = timezone


def prefer_language(locale: str) -> None:
    """Speak a person's own language, unless they chose another one."""
    g.preferred_language = locale


def speak(locale: str) -> None:
    """Go on in a person's own language, in the middle of a request, unless they chose another one."""
    prefer_language(locale)
    refresh()


def set_zone(timezone: str) -> None:
    """Write times in a vendor's time zone."""
    g.zone = timezone


def zone() -> str:
    """Return the name of the time zone that times are written in."""
    return str(g.get("zone", "UTC"))


def language() -> str:
    """Return the code of the page's language, for `<html lang>`."""
    return str(get_locale() or "en")


def page_address(lang: str) -> str:
    """Return this page's address in another language."""
    return f"{request.path}?lang={lang}"


def clock_time(value: datetime) -> str:
    """Write a time of day, like 14:35."""
    # A tablet that belongs to no shop yet knows no zone: an hour without a name would be taken for the local one.
    pattern = "HH:mm" if "zone" in g else "HH:mm 'UTC'"
    return dates.format_time(value, pattern, tzinfo=ZoneInfo(zone()), locale=_formats())


def day(value: date | datetime) -> str:
    """Write a day, like 20 Nov 2026."""
    local = value.astimezone(ZoneInfo(zone())).date() if isinstance(value, datetime) else value
    return dates.format_date(local, "medium", locale=_formats())


def short_day(value: date) -> str:
    """Write a day without its year, like 20 Nov."""
    return dates.format_skeleton("MMMd", value, locale=_formats())


def month(value: date) -> str:
    """Write a month, like Nov 2026."""
    return dates.format_skeleton("yMMM", value, locale=_formats())


def weekday(number: int, width: str = "wide") -> str:
    """Write a day of the week, Monday being 0."""
    return str(_formats().days["stand-alone"][width][number])


def moment(value: datetime) -> str:
    """Write a day and a time; today is a word."""
    if value.astimezone(ZoneInfo(zone())).date() == datetime.now(UTC).astimezone(ZoneInfo(zone())).date():
        return str(gettext("today, %(time)s", time=clock_time(value)))
    return f"{day(value)}, {clock_time(value)}"


def ago(value: datetime) -> str:
    """Write how long ago something was, in whole minutes, hours or days."""
    since = min(value - datetime.now(UTC), timedelta())
    if since > -timedelta(minutes=1):
        return str(gettext("just now"))
    return dates.format_timedelta(since, granularity="minute", add_direction=True, locale=_formats())


def money(minor: int, currency: str) -> str:
    """Write an amount given in minor units, like €12.50."""
    digits = numbers.get_currency_precision(currency)
    return numbers.format_currency(Decimal(minor).scaleb(-digits), currency, locale=_formats())


def number(value: int) -> str:
    """Write a whole number with the language's separators."""
    return numbers.format_decimal(value, locale=_formats())


def percent(value: int) -> str:
    """Write whole per cent, like 12%."""
    return numbers.format_percent(Decimal(value) / 100, locale=_formats())


def ratio(value: float) -> str:
    """Write a number with one digit behind the comma."""
    return numbers.format_decimal(value, format="0.0", locale=_formats())


def _formats() -> Locale:
    return formats_of(language())


def _remember_language(response: Response) -> Response:
    wish = request.args.get("lang")
    if wish in LANGUAGES and not is_for_programs():
        https = current_app.config["CONFIG"].https
        response.set_cookie(COOKIE, str(wish), max_age=31_536_000, secure=https, httponly=True, samesite="Lax")
    return response
