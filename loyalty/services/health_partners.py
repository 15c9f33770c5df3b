"""Checks of those we depend on: the mail server, Apple and Google, by what became of the last deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select

from loyalty.database import AnyRow, db
from loyalty.errors import N_
from loyalty.models.outbox import OutboxMessage
from loyalty.services import failures, google_passes, messages, passes
from loyalty.services.health import Check, Installation, State

# How many days before its end a certificate asks to be renewed, ever more urgently.
CERTIFICATE_DAYS: Final = 60
_URGENT: Final = (
    (3, State.DOWN, N_("Renew it today: without it no pass can be made or updated.")),
    (14, State.WARNING, N_("Renew it this week.")),
    (30, State.WARNING, N_("Renew it within the next two weeks.")),
    (CERTIFICATE_DAYS, State.WARNING, N_("Renew it within the next month.")),
)
# A delivery that was given up counts as trouble for so long; it stays on the list of failures for ever.
_RECENT: Final = timedelta(days=1)
_NOT_SET_UP: Final = N_("Not set up.")
_NEVER_USED: Final = N_("Set up, but nothing was delivered yet.")
_WORKING: Final = N_("The last delivery was taken: %(last)s.")
_SOME_FAIL: Final = N_("Deliveries that fail: %(failing)s.")
_HELD: Final = N_("Nobody is asked for now; deliveries that wait: %(held)s.")
_LOOK: Final = N_("Look at the failures: the words there are those of the receiver.")
_KINDS: Final = {
    "mail": tuple(f"mail.{kind}" for kind in messages.KINDS),
    "apple": ("apple.push",),
    "google": ("google.class", "google.object"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with the deliveries to a partner: `held` are those that wait without anybody being asked."""

    failing: int
    held: int
    since: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class Partner:
    """When a partner last took something, and what it does not take now."""

    last: datetime | None
    trouble: Trouble | None


def read(*, at: datetime) -> Mapping[str, Partner]:
    """Read what became of the last deliveries to each partner, in two queries."""
    troubles = _troubles(at)
    # One look into an index for each kind and partner, however much was delivered or fails.
    asked = [_last(*kinds) for kinds in _KINDS.values()] + [_words(name) for name in _KINDS]
    row: AnyRow = db.session.execute(select(*asked)).one()
    found = zip(_KINDS, row[: len(_KINDS)], row[len(_KINDS) :], strict=True)
    return {
        name: Partner(last, replace(troubles[name], words=words or "") if name in troubles else None)
        for name, last, words in found
    }


def mail(partner: Partner, *, installation: Installation) -> Check:
    """Whether mails leave."""
    if not installation.has_mail:
        value = N_("Mails are kept as files and reach nobody.")
        return Check("mail", State.WARNING, value, N_("Set MAIL_URL."))
    return _delivering("mail", partner)


def certificates(*, at: datetime) -> list[Check]:
    """How long the certificates of Apple passes are valid."""
    ends = passes.find_certificate_ends()
    if ends is None:
        return []
    return [
        certificate(name="apple_leaf", ends=ends.leaf, at=at),
        certificate(name="apple_intermediate", ends=ends.intermediate, at=at),
    ]


def certificate(*, name: str, ends: datetime, at: datetime) -> Check:
    """How long one certificate is valid."""
    days = (ends - at) // timedelta(days=1)
    details = {"days": days, "ends": ends}
    for most, level, advice in _URGENT:
        if days <= most:
            value = N_("%(days)s days left, until %(ends)s.") if days >= 0 else N_("Ended on %(ends)s.")
            return Check(name, level, value, advice, details=details)
    return Check(name, State.OK, N_("%(days)s days left, until %(ends)s."), details=details)


def apple(partner: Partner, *, installation: Installation) -> Check:
    """Whether passes are made, and phones are told of changes."""
    if not installation.has_apple:
        return Check("apple", State.UNKNOWN, _NOT_SET_UP, N_("Optional: see APPLE_… in docs/operations.md."))
    if passes.find_pass_type() is None:
        advice = N_("Repair the certificates and start the program again.")
        return Check("apple", State.DOWN, N_("No passes are made."), advice, words=passes.reason_off())
    return _delivering("apple", partner)


def google(partner: Partner, *, installation: Installation) -> Check:
    """Whether Google takes cards and their changes."""
    if not installation.has_google:
        return Check("google", State.UNKNOWN, _NOT_SET_UP, N_("Optional: see GOOGLE_… in docs/operations.md."))
    if not google_passes.is_on():
        advice = N_("Repair the account's settings and start the program again.")
        return Check("google", State.DOWN, N_("No card can be saved."), advice, words=google_passes.reason_off())
    return _delivering("google", partner, issuer=google_passes.issuer_id())


def _delivering(name: str, partner: Partner, *, issuer: str = "") -> Check:
    trouble, last = partner.trouble, partner.last
    # The issuer's number is what Google's people ask for first.
    about = f"Issuer {issuer}." if issuer else ""
    if trouble is None and last is None:
        return Check(name, State.UNKNOWN, _NEVER_USED, words=about)
    if trouble is None:
        return Check(name, State.OK, _WORKING, details={"last": last}, words=about)
    words = f"{about} {failures.without_people(trouble.words)}".strip()
    details = {"failing": trouble.failing, "held": trouble.held}
    # Held back: the receiver is away or wants nothing of us, which is about all deliveries and not about one.
    if trouble.held:
        return Check(name, State.DOWN, _HELD, _LOOK, details, words, since=trouble.since)
    level = State.WARNING if last and last > trouble.since else State.DOWN
    return Check(name, level, _SOME_FAIL, _LOOK, details, words, since=trouble.since)


def _troubles(at: datetime) -> dict[str, Trouble]:
    message = OutboxMessage
    partner = func.split_part(message.kind, ".", 1).label("partner")
    recent = or_(message.gave_up_at.is_(None), message.gave_up_at > at - _RECENT)
    held = func.count().filter(message.gave_up_at.is_(None), message.attempts == 0)
    query = select(
        partner, func.count().label("failing"), held.label("held"), func.min(message.created_at).label("since")
    )
    rows = db.session.execute(query.where(*failures.failed(), recent).group_by(partner))
    return {row.partner: Trouble(row.failing, row.held, row.since) for row in rows}


def _last(*kinds: str) -> ColumnElement[datetime | None]:
    """When one of these kinds was last delivered."""
    mine = (OutboxMessage.kind == kind for kind in kinds)
    told = OutboxMessage.delivered_at
    each = [select(func.max(told)).where(one, told.is_not(None)).scalar_subquery() for one in mine]
    return func.greatest(*each)


def _words(partner: str) -> ScalarSelect[str | None]:
    """What the newest failure of a partner says."""
    newest = select(OutboxMessage.last_error).where(*failures.failed(), OutboxMessage.kind.startswith(f"{partner}."))
    return newest.order_by(OutboxMessage.id.desc()).limit(1).scalar_subquery()
