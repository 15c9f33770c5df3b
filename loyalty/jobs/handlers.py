"""Who tells what: for each kind of outbox row a function that reads the present state and calls an adapter."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from loyalty.adapters import NobodyThere, Rejected, Unanswered, Unavailable
from loyalty.adapters.mail import Mailer
from loyalty.jobs import apple, bulk, google, webhooks
from loyalty.services import bounces, messages

_mailer: Mailer | None = None


@dataclass(frozen=True, slots=True)
class Handler:
    """`tell` acts, and twice, late or out of order gives the same result; `gave_up` notes that it will not be told.

    `holds_state`: the receiver shows what it was told last, so a few times a minute are enough, and whoever was late
    has to look whether it was the last.
    """

    tell: Callable[[UUID], None]
    gave_up: Callable[[UUID, str], None]
    holds_state: bool = False


def configure(*, mailer: Mailer) -> None:
    """Receive the adapters that app.py has built."""
    global _mailer
    _mailer = mailer


def send_mail(email_log_id: UUID) -> None:
    """Hand one mail over, once: what has left is never sent again by itself."""
    if _mailer is None:
        raise Unavailable("no mailer is configured")
    # Still on its way although the row is ours: its worker died, or lost its lease, after the mail left.
    if messages.record_unknown(email_log_id=email_log_id, error="The worker ended before the server answered."):
        raise Rejected("outcome unknown: the worker ended before the server answered")
    mail = messages.find_mail_to_send(email_log_id=email_log_id)
    if mail is None:
        return
    try:
        left = _mailer.send(mail, leaving=partial(messages.start_sending, email_log_id=email_log_id))
    except Unavailable as error:
        messages.record_held_back(email_log_id=email_log_id, error=str(error))
        raise
    except NobodyThere:
        bounces.mark(email_log_id=email_log_id)
        raise
    except Unanswered as error:
        messages.record_unknown(email_log_id=email_log_id, error=str(error))
        raise Rejected(f"outcome unknown: {error}") from error
    if left:
        messages.record_sent(email_log_id=email_log_id)


def mail_gave_up(email_log_id: UUID, error: str) -> None:
    """Show the mail as failed, unless it left."""
    messages.record_failed(email_log_id=email_log_id, error=error)


def forget_mail(email_log_id: UUID) -> None:
    """Delete the copy of a mail to somebody who was erased."""
    message_id = messages.end_erased(email_log_id=email_log_id)
    if _mailer is None or message_id is None:
        raise Unavailable("the mail is just leaving")
    _mailer.forget(message_id)


def nobody_to_tell(subject_id: UUID, error: str) -> None:
    """Note nothing more: the row keeps the reason, and people who look after the platform see it."""


_MAIL = Handler(send_mail, mail_gave_up)
HANDLERS: dict[str, Handler] = {
    **{f"mail.{kind}": _MAIL for kind in messages.KINDS},
    "apple.program": Handler(apple.push_program, apple.gave_up),
    "apple.push": Handler(apple.push, apple.gave_up, holds_state=True),
    "cards.bulk": Handler(bulk.go_through, nobody_to_tell),
    "google.class": Handler(google.write_class, google.gave_up, holds_state=True),
    "google.object": Handler(google.write_object, google.gave_up, holds_state=True),
    "privacy.mail": Handler(forget_mail, nobody_to_tell),
    "webhook.delivery": Handler(webhooks.send, webhooks.gave_up),
}


def quiet_kinds() -> list[str]:
    """List the kinds whose receivers are left alone for now: their rows wait where they are."""
    kinds = {"apple.push": apple.is_quiet, "google.class": google.is_quiet, "google.object": google.is_quiet}
    return [kind for kind, is_quiet in kinds.items() if is_quiet()]
