"""What a mail is between its making and its sending."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """One mail, ready to leave; `message_id` is the same each time it is rendered."""

    message_id: str
    recipient: str
    sender_name: str
    subject: str
    text: str
    html: str
    locale: str
    written_at: datetime
