"""What the settings of a shop may be: one check per field, read by forms and services alike.

A check takes a value of the right shape (text, number, yes or no), returns it in the form that is stored, or raises
a SettingError. Forms show the sentence beside the field; services refuse all wrong fields at once.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import available_timezones

import phonenumbers

from loyalty.domain import bounds, lines
from loyalty.domain.colours import normalise_colour
from loyalty.domain.mails import MOST_BIRTHDAY_POINTS, MOST_BIRTHDAY_STAMPS, SENDER_NAME_LENGTH
from loyalty.domain.pictures import is_own_address
from loyalty.domain.values import LoyaltyType
from loyalty.errors import N_, ValidationError

LOCALES: Final = ("en", "fr", "de", "lb")
COUNTRIES: Final = tuple(sorted(phonenumbers.SUPPORTED_REGIONS))
CODE: Final = r"[a-z0-9][a-z0-9-]{1,39}"

Check = Callable[[object], object]


class SettingError(ValueError):
    """A value that cannot be used; `sentence` is a message id, `details` fill its placeholders."""

    def __init__(self, sentence: str, **details: int) -> None:
        self.sentence = sentence
        self.details = details
        super().__init__(sentence % details)


def find_problems(checks: Mapping[str, Check], values: Mapping[str, object]) -> dict[str, SettingError]:
    """Return what is wrong, by field; fields without a check are wrong too."""
    return _run(checks, values)[1]


def clean(checks: Mapping[str, Check], values: Mapping[str, object]) -> dict[str, object]:
    """Return the values as they are stored, or raise a ValidationError that names every wrong field."""
    cleaned, problems = _run(checks, values)
    if problems:
        raise ValidationError({name: str(problem) for name, problem in problems.items()})
    return cleaned


def _run(
    checks: Mapping[str, Check], values: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, SettingError]]:
    cleaned: dict[str, object] = {}
    problems: dict[str, SettingError] = {}
    for name, value in values.items():
        try:
            cleaned[name] = checks.get(name, _unknown)(value)
        except SettingError as problem:
            problems[name] = problem
    return cleaned, problems


def _unknown(_value: object) -> object:
    raise SettingError(N_("There is no such setting."))


def _whole_number(limits: tuple[int, int], *, optional: bool = False) -> Check:
    least, most = limits

    def check(value: object) -> object:
        if value is None and optional:
            return None
        if type(value) is not int or not least <= value <= most:
            raise SettingError(N_("Enter a whole number from %(least)s to %(most)s."), least=least, most=most)
        return value

    return check


def _cents(limits: tuple[int, int], *, optional: bool = False) -> Check:
    least, most = limits

    def check(value: object) -> object:
        if value is None and optional:
            return None
        if type(value) is not int or not least <= value <= most:
            raise SettingError(N_("Enter an amount from %(least)s to %(most)s cents."), least=least, most=most)
        return value

    return check


def _coordinate(limit: int) -> Check:
    def check(value: object) -> object:
        if value is None:
            return None
        # NaN is neither below nor above anything, so it is refused as well.
        if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
            raise SettingError(N_("Enter a number from -%(limit)s to %(limit)s, such as 49.6116."), limit=limit)
        return float(value)

    return check


def _text(longest: int, *, required: bool = False, in_lines: bool = False) -> Check:
    def check(value: object) -> object:
        text = str(value or "").replace("\r\n", "\n").strip()
        # A name that nobody sees is none, and a button without one cannot be told from another.
        text = text if lines.is_visible(text) or not lines.is_fit(text, lines=in_lines) else ""
        if required and not text:
            raise SettingError(N_("Enter a text."))
        if len(text) > longest:
            raise SettingError(N_("Use at most %(longest)s characters."), longest=longest)
        if not lines.is_fit(text, lines=in_lines):
            raise SettingError(N_("Use letters, digits and punctuation on one line only."))
        return text

    return check


def _choice(words: Iterable[object]) -> Check:
    known = tuple(words)

    def check(value: object) -> object:
        if isinstance(value, bool) or value not in known:
            raise SettingError(N_("Choose one of the list."))
        return str(value) if isinstance(value, str) else value

    return check


def _yes_or_no(value: object) -> object:
    if not isinstance(value, bool):
        raise SettingError(N_("Choose yes or no."))
    return value


def _colour(value: object) -> object:
    try:
        return normalise_colour(str(value or ""))
    except ValueError as refusal:
        raise SettingError(N_("A colour has six hexadecimal digits, like #1F4FD1.")) from refusal


def _optional_colour(value: object) -> object:
    return _colour(value) if str(value or "").strip() else None


def _address(value: object) -> object:
    text = str(value or "").strip()
    if not text:
        return None
    if len(text) > bounds.URL_LENGTH:
        raise SettingError(N_("Use at most %(longest)s characters."), longest=bounds.URL_LENGTH)
    try:
        parts = urlsplit(text)
        usable = parts.scheme == "https" and parts.hostname and "." in parts.hostname and not parts.username
        usable = usable and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    # Nothing a header, an attribute or a wallet could stumble over.
    if not usable or not text.isascii() or re.search(r"[\s<>\"'\\^`{|}]", text) or not lines.is_fit(text):
        raise SettingError(N_("Enter a web address that starts with https://."))
    return text


def _picture(value: object) -> object:
    text = str(value or "")
    if text and not is_own_address(text):
        raise SettingError(N_("Upload the picture; one on another site is not shown."))
    return text or None


def _code(value: object) -> object:
    text = str(value or "").strip().lower()
    if not re.fullmatch(CODE, text, re.ASCII):
        raise SettingError(N_("Use 2 to 40 small letters, digits and hyphens, beginning with a letter or digit."))
    return text


@cache
def zones() -> frozenset[str]:
    """Return all names of time zones; to find them, Python opens hundreds of files."""
    return frozenset(available_timezones())


def _timezone(value: object) -> object:
    # "localtime" and the like are files of this machine, not names that another one knows.
    if value not in zones() or value in ("localtime", "Factory", "posixrules"):
        raise SettingError(N_("Choose one of the list."))
    return value


def _id(value: object) -> object:
    try:
        return str(UUID(str(value or "")))
    except ValueError as refusal:
        raise SettingError(N_("Choose one of the list.")) from refusal


def _id_or_all(value: object) -> object:
    return _id(value) if value else ""


_money: Final = {"stamps_reward_value_cents", "minimum_purchase_cents"}
_may_be_empty: Final = {"stamps_reward_value_cents", "points_expiration_days"}

PROGRAM: Final[Mapping[str, Check]] = {
    "loyalty_type": _choice(kind.value for kind in LoyaltyType),
    "stamps_reward_description": _text(bounds.NAME_LENGTH, required=True),
    "require_staff_pin": _yes_or_no,
    "card_name": _text(bounds.CARD_NAME_LENGTH),
    "card_color": _colour,
    "card_secondary_color": _optional_colour,
    "logo_url": _picture,
    "hero_image_url": _picture,
    "terms_text": _text(bounds.TEXT_LENGTH, in_lines=True),
    "privacy_url": _address,
    **{
        name: (_cents if name in _money else _whole_number)(limits, optional=name in _may_be_empty)
        for name, limits in bounds.PROGRAM.items()
    },
}
REWARD: Final[Mapping[str, Check]] = {
    "name": _text(bounds.NAME_LENGTH, required=True),
    "points_required": _whole_number(bounds.REWARD["points_required"]),
    "value_cents": _cents(bounds.REWARD["value_cents"], optional=True),
    "description": _text(bounds.URL_LENGTH),
    # What it is called in other languages, each by itself: name_en, name_fr, …
    **{f"name_{locale}": _text(bounds.NAME_LENGTH) for locale in LOCALES},
}
STORE: Final[Mapping[str, Check]] = {
    "code": _code,
    "name": _text(bounds.NAME_LENGTH, required=True),
    "address": _text(300),
    "latitude": _coordinate(90),
    "longitude": _coordinate(180),
}
VENDOR: Final[Mapping[str, Check]] = {
    "code": _code,
    "name": _text(bounds.NAME_LENGTH, required=True),
    "locale": _choice(LOCALES),
    "timezone": _timezone,
    "country": _choice(COUNTRIES),
    "contact_field": _choice(("email", "phone")),
    "confirm_address": _yes_or_no,
    "ask_name": _yes_or_no,
    "ask_birthday": _yes_or_no,
    "ask_marketing": _yes_or_no,
    "pin_length": _choice((4, 6)),
    "retention_months": _whole_number(bounds.VENDOR["retention_months"]),
    "privacy_contact": _text(500, in_lines=True),
    "privacy_note": _text(bounds.TEXT_LENGTH, in_lines=True),
}
USER: Final[Mapping[str, Check]] = {"locale": _choice(LOCALES)}
POLICY: Final[Mapping[str, Check]] = {
    "staff_pin_policy": _choice(("required", "optional", "disabled")),
    **{name: _whole_number(limits) for name, limits in bounds.POLICY.items()},
    "allow_self_enrollment": _yes_or_no,
    "allow_void_transactions": _yes_or_no,
    "allow_cross_store_redemption": _yes_or_no,
    "require_order_reference": _yes_or_no,
    "log_ip_addresses": _yes_or_no,
}
STAFF_PIN: Final[Mapping[str, Check]] = {
    "name": _text(bounds.NAME_LENGTH, required=True),
    "role": _choice(("staff", "manager")),
    "store": _id_or_all,
}
MAILS: Final[Mapping[str, Check]] = {
    "sender_name": _text(SENDER_NAME_LENGTH),
    "birthday": _yes_or_no,
    "birthday_points": _whole_number((0, MOST_BIRTHDAY_POINTS)),
    "birthday_stamps": _whole_number((0, MOST_BIRTHDAY_STAMPS)),
    "miss_you": _yes_or_no,
    "daily_digest": _yes_or_no,
}
TERMINAL: Final[Mapping[str, Check]] = {
    "label": _text(bounds.NAME_LENGTH, required=True),
    "store": _id,
}
API_KEY: Final[Mapping[str, Check]] = {
    "name": _text(bounds.NAME_LENGTH, required=True),
    "scope": _choice(("read", "till", "manage")),
    "store": _id_or_all,
    "requests_per_minute": _whole_number(bounds.REQUESTS_PER_MINUTE, optional=True),
    "days": _choice(("", "30", "90", "365")),
}
# Where a webhook leads to is the service's to judge: it knows which places are allowed.
WEBHOOK: Final[Mapping[str, Check]] = {"url": _text(bounds.URL_LENGTH)}
API_KEY_ROTATION: Final[Mapping[str, Check]] = {"overlap": _choice(("now", "hour", "day", "week"))}
