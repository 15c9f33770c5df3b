"""The audit log in words: what was done, to what, and how."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from loyalty.errors import N_
from loyalty.web.locale import day, moment, number
from loyalty.web.sentences import gettext

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# As the services write them.
_DAY: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(\+00:00|Z)")

ACTIONS: Final = {
    "acting.ended": N_("Left the office of the shop"),
    "acting.started": N_("Entered the office of the shop for the platform"),
    "api_key.created": N_("Made a key"),
    "api_key.revoked": N_("Revoked a key"),
    "api_key.rotated": N_("Renewed a key"),
    "archive.exported": N_("Downloaded everything that the shop keeps"),
    "bulk.started": N_("Began to switch off many cards"),
    "bulk.undone": N_("Took back switching off many cards"),
    "card.adjusted": N_("Corrected a balance"),
    "card.link_mailed": N_("Mailed the link to a card"),
    "card.merged": N_("Put two cards together"),
    "card.points_restored": N_("Gave expired points back"),
    "card.replaced": N_("Replaced a card"),
    "card.resent": N_("Sent the passes of a card again"),
    "card.voided": N_("Took back entries of a card"),
    "card_deactivated": N_("Switched a card off"),
    "card_reactivated": N_("Switched a card on again"),
    "customer.address_corrected": N_("Changed the address of a customer"),
    "customer.corrected": N_("Corrected the details of a customer"),
    "customer.erased": N_("Erased a customer"),
    "customer.erasure_called_off": N_("Called off erasing a customer"),
    "customer.erasure_scheduled": N_("Decided to erase a customer later"),
    "customer.exported": N_("Downloaded what is known of a customer"),
    "customer.told_apart": N_("Noted that two customers are not the same person"),
    "customers.exported": N_("Downloaded the list of customers"),
    "failure.retried": N_("Tried a delivery again"),
    "failures.retried": N_("Tried all deliveries of a kind again"),
    "mail.resent": N_("Sent a mail again"),
    "mail_settings.changed": N_("Changed the settings of mails"),
    "mail_wording.changed": N_("Changed the words of a mail"),
    "mail_wording.reset": N_("Gave up own words of a mail"),
    "member.invitation_withdrawn": N_("Withdrew an invitation into the office"),
    "member.invited": N_("Invited somebody into the office"),
    "member.joined": N_("Accepted an invitation into the office"),
    "member.removed": N_("Closed the office to somebody"),
    "member.role_changed": N_("Changed somebody's role in the office"),
    "pin.changed": N_("Changed a member of staff"),
    "pin.created": N_("Gave somebody a PIN"),
    "pin.deactivated": N_("Took a PIN away"),
    "pin.regenerated": N_("Gave somebody a new PIN"),
    "pin.unlocked": N_("Unlocked a PIN"),
    "policy.changed": N_("Changed the policy of a shop"),
    "poster.placed": N_("Noted that the poster stands on the counter"),
    "program.activated": N_("Switched the program on"),
    "program.changed": N_("Changed the program"),
    "program.closed": N_("Ended the program"),
    "program.closing_announced": N_("Announced the end of the program"),
    "program.closing_called_off": N_("Called off the end of the program"),
    "program.created": N_("Made the program"),
    "program.deactivated": N_("Paused the program"),
    "reward.changed": N_("Changed a reward"),
    "reward.created": N_("Made a reward"),
    "reward.deactivated": N_("Took a reward off the list"),
    "reward.moved": N_("Moved a reward in the list"),
    "reward.reactivated": N_("Put a reward on the list again"),
    "second_factor.turned_off": N_("Turned the second factor off"),
    "second_factor.turned_on": N_("Turned the second factor on"),
    "staff_report.off": N_("Switched the report about staff off"),
    "staff_report.on": N_("Switched the report about staff on"),
    "store.changed": N_("Changed a store"),
    "store.created": N_("Made a store"),
    "store.deactivated": N_("Closed a store"),
    "store.reactivated": N_("Opened a store again"),
    "terminal.changed": N_("Changed a tablet"),
    "terminal.code_created": N_("Asked for a code that pairs a tablet"),
    "terminal.paired": N_("Paired a tablet"),
    "terminal.revoked": N_("Signed a tablet out for good"),
    "transactions.exported": N_("Downloaded transactions"),
    "user.language_chosen": N_("Chose a language"),
    "user.password_changed": N_("Changed the password"),
    "vendor.changed": N_("Changed the settings of a shop"),
    "vendor.created": N_("Opened a shop"),
    "vendor.resumed": N_("Let a shop work again"),
    "vendor.suspended": N_("Suspended a shop"),
    "webhook.changed": N_("Changed a webhook"),
    "webhook.created": N_("Made a webhook"),
    "webhook.old_secret_ended": N_("Ended the old secret of a webhook"),
    "webhook.paused": N_("Paused a webhook"),
    "webhook.removed": N_("Removed a webhook"),
    "webhook.replayed": N_("Sent messages of a webhook again"),
    "webhook.resumed": N_("Let a webhook go on"),
    "webhook.secret_rotated": N_("Renewed the secret of a webhook"),
    "webhook.tested": N_("Sent a test to a webhook"),
}
_SUBJECTS: Final = {
    "api_key": N_("Key"),
    "bulk": N_("Many cards"),
    "card": N_("Card"),
    "customer": N_("Customer"),
    "invitation": N_("Invitation"),
    "mail": N_("Mail"),
    "outbox": N_("Delivery"),
    "program": N_("Program"),
    "reward": N_("Reward"),
    "staff_pin": N_("PIN"),
    "store": N_("Store"),
    "terminal": N_("Tablet"),
    "user": N_("Person"),
    "vendor": N_("Shop"),
    "webhook": N_("Webhook"),
}
DETAILS: Final = {
    "allow_cross_store_redemption": N_("Rewards are given at every store"),
    "allow_self_enrollment": N_("Customers may join by themselves"),
    "allow_void_transactions": N_("Stamps, points and rewards can be taken back"),
    "audit": N_("Audit log"),
    "bulk": N_("Together with others"),
    "cards": N_("Cards"),
    "chain_heads": N_("Ends of the cards' ledgers"),
    "changed": N_("Changed"),
    "closes_on": N_("Last day"),
    "code": N_("Short name"),
    "consents": N_("Consents"),
    "count": N_("How many"),
    "customers": N_("Customers"),
    "delta": N_("Changed by"),
    "email": N_("E-mail"),
    "erased_at": N_("Erased"),
    "expiry": N_("Expiry of points"),
    "from": N_("From"),
    "joined_since": N_("Joined from"),
    "joined_until": N_("Joined until"),
    "kind": N_("Kind"),
    "left_handed": N_("Left-handed: buttons on the left"),
    "lock_minutes": N_("Locks by itself after"),
    "log_ip_addresses": N_("Keep the network address of every entry"),
    "mails": N_("Mails"),
    "name": N_("Name"),
    "numbers": N_("Typed numbers"),
    "old_ends_at": N_("The old one works until"),
    "other": N_("The other"),
    "phone": N_("Phone"),
    "pin_lockout_attempts": N_("Wrong PINs without a wait"),
    "pin_lockout_minutes": N_("Longest wait in minutes"),
    "points": N_("Points"),
    "points_required": N_("Price in points"),
    "policy": N_("Policy"),
    "program": N_("Program"),
    "reason": N_("Reason"),
    "require_order_reference": N_("Every purchase needs an order reference"),
    "retried": N_("Tried again"),
    "rewards": N_("Rewards"),
    "role": N_("Role"),
    "rows": N_("Rows"),
    "scope": N_("Scope"),
    "searched": N_("Searched"),
    "shop": N_("Shop"),
    "show": N_("Show"),
    "silent_since": N_("Silent since"),
    "sound": N_("Sounds"),
    "staff": N_("Staff"),
    "staff_pin_policy": N_("Does the till ask for a staff PIN?"),
    "stamps": N_("Stamps"),
    "store": N_("Store"),
    "store_id": N_("Store"),
    "stores": N_("Stores"),
    "to": N_("To"),
    "transaction": N_("Entry"),
    "transaction_details": N_("Notes on entries"),
    "transactions": N_("Entries"),
    "until": N_("Until"),
    "wallets": N_("Wallets"),
}
# What stands in the log as a code, by the name of the detail.
_CODES: Final = {
    "role": {"owner": N_("Owner"), "manager": N_("Manager"), "staff": N_("Cashier")},
    "scope": {"read": N_("Read"), "till": N_("Work as a till"), "manage": N_("Manage")},
    "show": {"all": N_("All"), "active": N_("Active"), "inactive": N_("Deactivated"), "behind": N_("Pass behind")},
    "staff_pin_policy": {"required": N_("Always"), "optional": N_("The shop decides"), "disabled": N_("Never")},
}


def action_words(action: str) -> str:
    """Say what was done; an action that has no words by its own name."""
    return gettext(ACTIONS[action]) if action in ACTIONS else action


def subject_words(subject_type: str) -> str:
    """Say what kind of thing it was done to."""
    return gettext(_SUBJECTS[subject_type]) if subject_type in _SUBJECTS else subject_type.replace("_", " ")


def short_id(text: str) -> str:
    """Return the end of an id, by which two of them are told apart; any other text as it is."""
    return f"…{text[-8:]}" if _ID.fullmatch(text) else text


def detail_words(details: Mapping[str, object]) -> list[tuple[str, str]]:
    """Say how it was done: names and values, of what was changed the one before and the one after."""
    before, after = details.get("before"), details.get("after")
    found: list[tuple[str, str]] = []
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted(before):
            change = gettext(
                "%(before)s, now %(after)s", before=_text(before[name], name), after=_text(after.get(name), name)
            )
            found.append((_label(name), change))
    rest = {name: value for name, value in details.items() if name not in ("before", "after")}
    return found + [(_label(name), _text(value, name)) for name, value in sorted(rest.items())]


def _label(name: str) -> str:
    return gettext(DETAILS[name]) if name in DETAILS else name.replace("_", " ").capitalize()


def _text(value: object, name: str = "") -> str:
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if value is None or value == "":
        return "–"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, list):
        return ", ".join(_label(item) if isinstance(item, str) else _text(item) for item in value) or "–"
    if isinstance(value, Mapping):
        return ", ".join(_pair(str(part), each) for part, each in sorted(value.items()))
    code = _CODES.get(name, {}).get(str(value))
    return gettext(code) if code else _plain(str(value))


def _pair(name: str, value: object) -> str:
    return gettext("%(name)s: %(value)s", name=_label(name), value=_text(value, name))


def _plain(text: str) -> str:
    """Write moments and days as people do, ids shortly; any other text as it is."""
    try:
        if _DAY.fullmatch(text):
            return day(date.fromisoformat(text))
        if _MOMENT.fullmatch(text):
            return moment(datetime.fromisoformat(text))
    except ValueError:
        # A name that only looks like one.
        return text
    return short_id(text)
