"""The language in which somebody reads the office and gets mails about the account."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update

from loyalty.database import db
from loyalty.domain import settings
from loyalty.domain.values import Admin, RequestKey
from loyalty.models.users import User
from loyalty.services import audit, idempotency


@dataclass(frozen=True)
class LanguageChosen:
    """Whose language it is, and which."""

    user_id: UUID
    locale: str
    replayed: bool = False


def choose(*, user_id: UUID, locale: str, key: RequestKey) -> LanguageChosen:
    """Choose the language of one's own pages and mails."""
    chosen = str(settings.clean(settings.USER, {"locale": locale})["locale"])

    def work() -> LanguageChosen:
        db.session.execute(update(User).where(User.id == user_id).values(locale=chosen))
        audit.record(
            actor=Admin(user_id=user_id), action="user.language_chosen", subject_type="user", subject_id=user_id
        )
        return LanguageChosen(user_id, chosen)

    return idempotency.run(key, LanguageChosen, work)
