"""What stands in pass.json: the store card of a loyalty card, field by field."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from loyalty.domain.codes import format_card_number
from loyalty.domain.colours import fg
from loyalty.domain.values import LoyaltyType, PassContent
from loyalty.wallets.apple_pictures import Picture, says_name
from loyalty.wallets.apple_texts import LOCALES, words

MOST_LOCATIONS = 10
SHORTEST_TOKEN = 16
# Goes up when the same content is drawn differently, so that the passes in people's phones are made anew.
LAYOUT = 2

# Fields and objects as JSON knows them.
Json = dict[str, Any]
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """A store: named on the back of the pass; near one with a place the phone shows the pass."""

    name: str
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """How a text of the shop is said in another language of the pass."""

    locale: str
    text: str
    translation: str


@dataclass(frozen=True, slots=True)
class ApplePassFacts:
    """What an Apple pass needs beside its content; serial and token never change while a pass lives.

    `locale` is the language for phones that speak none of the four, `hero` the photograph of a card without stamps,
    `card_page` the address of the card on the web.
    """

    serial: str
    auth_token: str = field(repr=False)
    locale: str = "en"
    logo: Picture | None = None
    hero: Picture | None = None
    stores: tuple[StoreFacts, ...] = ()
    terms: str = ""
    privacy_url: str | None = None
    card_page: str | None = None
    translations: tuple[Translation, ...] = ()
    voided: bool = False


def content_hash(content: PassContent, facts: ApplePassFacts, *, setup: str = "") -> str:
    """Return a digest of all that the holder of the pass sees, and of `setup`: who makes it and where it asks for
    updates. Equal digests need no update."""
    logo = [facts.logo.digest, content.logo_on_plate] if facts.logo else None
    hero = facts.hero.digest if facts.hero and has_photo(content) else None
    own = sorted((own.locale, own.text, own.translation) for own in facts.translations)
    seen = [LAYOUT, pass_body(content, facts), base_locale(facts), logo, hero, own, setup]
    return hashlib.sha256(encode(seen)).hexdigest()


def has_photo(content: PassContent) -> bool:
    """Whether a photograph lies behind the fields: stamps take its place."""
    return content.hero_url is not None and not content.has_stamps


def encode(value: object) -> bytes:
    """Write JSON as phones read it: UTF-8, no byte order mark, no NaN."""
    return _encoder.encode(value).encode()


def base_locale(facts: ApplePassFacts) -> str:
    """Return the language that stands in pass.json itself."""
    return facts.locale if facts.locale in LOCALES else LOCALES[0]


def pass_body(content: PassContent, facts: ApplePassFacts) -> Json:
    """Put together all of pass.json but who issues it, which pass it is and where it asks for updates."""
    say = _words(base_locale(facts))
    colour, text_colour = _colours(content.color)
    voided = facts.voided or not content.is_active
    body: Json = {
        "formatVersion": 1,
        "organizationName": content.vendor_name,
        "description": f"{content.card_name} · {content.vendor_name}",
        "backgroundColor": colour,
        "foregroundColor": text_colour,
        # Labels in the same colour: there is no softer one that stays readable on every card colour.
        "labelColor": text_colour,
        "sharingProhibited": True,
        "storeCard": {
            "headerFields": _header(content, say),
            "primaryFields": _primary(content, say),
            "secondaryFields": _secondary(content, say, voided=voided),
            "backFields": _back(content, facts, say),
        },
    }
    if not says_name(facts.logo):
        body["logoText"] = content.vendor_name
    if content.scan_code:
        body["barcodes"] = [_barcode(content)]
    if locations := _locations(facts, say):
        body["locations"] = locations
    if voided:
        body["voided"] = True
    return body


_words = lru_cache(maxsize=len(LOCALES))(words)


@lru_cache(maxsize=1024)
def _colours(colour: str) -> tuple[str, str]:
    return _rgb(colour), _rgb(fg(colour))


def _rgb(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def _header(content: PassContent, say: dict[str, str]) -> list[Json]:
    """The balances: the header alone stays visible while passes lie on each other."""
    fields: list[Json] = []
    if content.has_points:
        fields.append(_number("points", say["points"], content.points_balance, say["points_changed"]))
    if content.has_stamps:
        shown = f"{content.stamp_count}/{content.stamps_target}"
        changed = say["stamps_changed"]
        fields.append({"key": "stamps", "label": say["stamps"], "value": shown, "changeMessage": changed})
    return fields


def _primary(content: PassContent, say: dict[str, str]) -> list[Json]:
    # The primary field lies on the strip: over stamps nothing fits, and over a photograph nobody could read it.
    if content.has_stamps or has_photo(content):
        return []
    return _points_goal(content, say)


def _points_goal(content: PassContent, say: dict[str, str]) -> list[Json]:
    if not content.points_reward:
        return []
    reached = content.points_goal is not None and content.points_balance >= content.points_goal
    return [_text("points_reward", say["reward_ready" if reached else "next_reward"], content.points_reward)]


def _secondary(content: PassContent, say: dict[str, str], *, voided: bool) -> list[Json]:
    fields: list[Json] = []
    if voided:
        fields.append(_text("inactive", say["card"], say["inactive"]))
    if content.closes_on and not voided:
        fields.append(_day("closes_on", say["closes_on"], content.closes_on, say["closes"]))
    if content.has_stamps:
        ready = content.stamp_count >= content.stamps_target
        fields.append(_text("stamps_reward", say["reward_ready" if ready else "next_reward"], content.stamps_reward))
    if content.loyalty_type == LoyaltyType.HYBRID and content.points_reward:
        fields.append(_text("points_reward", say["points_reward"], content.points_reward))
    if has_photo(content):
        fields += _points_goal(content, say)
    if content.has_points and content.points_goal is not None:
        fields.append(_number("points_goal", say["points_goal"], content.points_goal))
    if content.has_points and content.points_good_until:
        fields.append(
            _day("points_good_until", say["points_good_until"], content.points_good_until, say["points_expire"])
        )
    return fields


def _back(content: PassContent, facts: ApplePassFacts, say: dict[str, str]) -> list[Json]:
    stores = "\n".join(", ".join(part for part in (store.name, store.address) if part) for store in facts.stores)
    number = _text("card_number", say["card_number"], format_card_number(content.card_number))
    # Ten digits look like a telephone number, and would be offered to be dialled.
    number["dataDetectorTypes"] = []
    texts = (
        ("shop", say["shop"], content.vendor_name),
        ("card_name", say["card"], content.card_name),
        ("stores", say["stores"], stores),
        ("card_page", say["card_page"], facts.card_page or ""),
        ("terms", say["terms"], facts.terms),
        ("privacy", say["privacy"], facts.privacy_url or ""),
    )
    return [number, *(_text(key, label, value) for key, label, value in texts if value)]


def _text(key: str, label: str, value: str) -> Json:
    return {"key": key, "label": label, "value": value}


def _number(key: str, label: str, value: int, changed: str | None = None) -> Json:
    made: Json = {"key": key, "label": label, "value": value, "numberStyle": "PKNumberStyleDecimal"}
    if changed:
        made["changeMessage"] = changed
    return made


def _day(key: str, label: str, value: date, changed: str) -> Json:
    """A day, written as the phone's language has it; the same everywhere on earth."""
    shown = {"dateStyle": "PKDateStyleMedium", "timeStyle": "PKDateStyleNone", "ignoresTimeZone": True}
    return {"key": key, "label": label, "value": f"{value.isoformat()}T00:00:00Z", "changeMessage": changed, **shown}


def _barcode(content: PassContent) -> Json:
    return {
        "format": "PKBarcodeFormatQR",
        "message": content.scan_code,
        "messageEncoding": "iso-8859-1",
        "altText": format_card_number(content.card_number),
    }


def _locations(facts: ApplePassFacts, say: dict[str, str]) -> list[Json]:
    return [
        {"latitude": float(store.latitude), "longitude": float(store.longitude), "relevantText": say["near_store"]}
        for store in facts.stores
        if store.latitude is not None and store.longitude is not None
    ][:MOST_LOCATIONS]
