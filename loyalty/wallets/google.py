"""Google Wallet: a program as a loyalty class, a card as a loyalty object, both as plain JSON.

The same facts give the same JSON, so its hash tells whether Google has to be told at all.
"""

import hashlib
import json

from loyalty.domain.codes import format_card_number
from loyalty.domain.values import PassContent
from loyalty.wallets.google_facts import CardFacts, Link, ProgramFacts, Texts

Json = dict[str, object]

# More are refused as a whole, not cut off.
MOST_PLACES = 10
# The greatest that Google's 32 bits hold.
_MOST_POINTS = 2_147_483_647
# What a patch has to wipe by name where a card or program no longer has it.
_CLEARED_IN_OBJECT = ("accountName", "heroImage", "linksModuleData", "secondaryLoyaltyPoints", "textModulesData")
_CLEARED_IN_CLASS = ("heroImage", "linksModuleData", "merchantLocations", "textModulesData", "callbackOptions")
_BALANCES = ("int", "string")


def class_json(facts: ProgramFacts) -> Json:
    """Write the loyalty class of a program."""
    described: Json = {
        "id": facts.class_id,
        "issuerName": facts.vendor_name,
        **_named("programName", "localizedProgramName", facts.card_name, facts.locale),
        **_named("accountNameLabel", "localizedAccountNameLabel", facts.holder_label, facts.locale),
        **_named("accountIdLabel", "localizedAccountIdLabel", facts.number_label, facts.locale),
        "programLogo": _image(facts.logo_url),
        "hexBackgroundColor": facts.color.lower(),
        # One person's card: it follows the account to all of its devices and to nobody else's.
        "multipleDevicesAndHoldersAllowedStatus": "ONE_USER_ALL_DEVICES",
        # Must stand in every write: an approved class that is sent back as APPROVED is refused.
        "reviewStatus": "UNDER_REVIEW",
    }
    if facts.hero_image_url:
        described["heroImage"] = _image(facts.hero_image_url)
    if facts.terms_label and facts.terms_text:
        body = {facts.locale: facts.terms_text}
        described["textModulesData"] = [_text_module("terms", facts.terms_label, body, facts.locale)]
    if facts.places:
        places = facts.places[:MOST_PLACES]
        described["merchantLocations"] = [{"latitude": one.latitude, "longitude": one.longitude} for one in places]
    if facts.callback_url:
        described["callbackOptions"] = {"url": facts.callback_url}
    return described | _links(facts.links, facts.locale)


def object_json(content: PassContent, facts: CardFacts) -> Json:
    """Write the loyalty object of a card; a closed card is INACTIVE, for nothing can be deleted."""
    described: Json = {
        "id": facts.object_id,
        "classId": facts.class_id,
        "state": "ACTIVE" if content.is_active else "INACTIVE",
        "accountId": format_card_number(content.card_number),
        "barcode": {
            "type": "QR_CODE",
            "value": content.scan_code,
            "alternateText": format_card_number(content.card_number),
        },
        **_balances(content, facts),
    }
    if facts.holder_name:
        described["accountName"] = facts.holder_name
    if facts.hero_image_url:
        described["heroImage"] = _image(facts.hero_image_url)
    if modules := _modules(facts):
        described["textModulesData"] = modules
    return described | _links(facts.links, facts.locale)


def class_patch(described: Json) -> Json:
    """Write what changes an existing class into this one, wiping what it no longer has."""
    return dict.fromkeys(_CLEARED_IN_CLASS) | described


def object_patch(described: Json, *, notify: bool = False) -> Json:
    """Write what changes an existing object into this one; `notify` asks Google to tell the customer, 3 times a day."""
    patch: Json = dict.fromkeys(_CLEARED_IN_OBJECT) | described
    for name in ("loyaltyPoints", "secondaryLoyaltyPoints"):
        points = patch[name]
        if isinstance(points, dict):
            # A balance holds exactly one kind of value: after a change of the program the other one is wiped.
            patch[name] = points | {"balance": dict.fromkeys(_BALANCES) | points["balance"]}
    return patch | {"notifyPreference": "NOTIFY_ON_UPDATE"} if notify else patch


def content_hash(described: Json) -> str:
    """Return the SHA-256 of a class or object: the same hash as last time means that nothing has to be sent."""
    text = json.dumps(described, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _balances(content: PassContent, facts: CardFacts) -> Json:
    shown: list[Json] = []
    if content.has_stamps:
        label = _named("label", "localizedLabel", facts.stamps_label, facts.locale)
        shown.append(label | {"balance": {"string": f"{content.stamp_count}/{content.stamps_target}"}})
    if content.has_points:
        label = _named("label", "localizedLabel", facts.points_label, facts.locale)
        shown.append(label | {"balance": {"int": min(content.points_balance, _MOST_POINTS)}})
    return dict(zip(("loyaltyPoints", "secondaryLoyaltyPoints"), shown, strict=False))


def _modules(facts: CardFacts) -> list[Json]:
    said = (
        ("closing", facts.closing_label, facts.closing_text),
        ("reward", facts.reward_label, facts.reward_text),
        ("points", facts.expiry_label, facts.expiry_text),
    )
    return [_text_module(name, label, text, facts.locale) for name, label, text in said if label and text]


def _links(links: tuple[Link, ...], locale: str) -> Json:
    if not links:
        return {}
    uris = [
        {"id": link.key, "uri": link.address} | _named("description", "localizedDescription", link.description, locale)
        for link in links
    ]
    return {"linksModuleData": {"uris": uris}}


def _text_module(key: str, header: Texts, body: Texts, locale: str) -> Json:
    named = _named("header", "localizedHeader", header, locale) | _named("body", "localizedBody", body, locale)
    return {"id": key} | named


def _named(plain: str, localized: str, texts: Texts, locale: str) -> Json:
    """Give a text in the vendor's language and, where there are more, in all of them."""
    first = texts.get(locale) or texts.get("en") or next(iter(texts.values()))
    language = next(language for language in (locale, *texts) if texts.get(language) == first)
    others = [{"language": other, "value": texts[other]} for other in sorted(texts) if other != language]
    if not others:
        return {plain: first}
    value = {"defaultValue": {"language": language, "value": first}, "translatedValues": others}
    return {plain: first, localized: value}


def _image(address: str) -> Json:
    return {"sourceUri": {"uri": address}}
