"""What stands in a shop of the tests beside its cards: a key, an endpoint, a mass of cards, people, mails."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from loyalty.database import clock, db, transaction
from loyalty.domain.expiry import Decision, Step
from loyalty.domain.values import Admin, Scope
from loyalty.models.cards import LoyaltyCard
from loyalty.models.mail import EmailLog
from loyalty.models.users import UserSession
from loyalty.services import (
    adjustments,
    api_keys,
    bulk_deactivations,
    expiry_cards,
    expiry_restores,
    expiry_steps,
    invitations,
    user_sessions,
    webhook_deliveries,
    webhooks,
)
from loyalty.services.bulk_choices import CardChoice
from loyalty.services.expiry_cards import Night
from tests.factories import Card, Shop, make_key


def furnish(shop: Shop, card: Card, word: str) -> dict[str, UUID]:
    """Put one of everything into a shop, and return by which names it stands in addresses."""
    return {
        "api_key_id": _api_key(shop, f"Scales {word}"),
        **_webhook(shop, word),
        "bulk_id": _bulk(shop, card),
        "expiry_id": _expiry(shop, card),
        **_people(shop, word),
    }


def _api_key(shop: Shop, name: str) -> UUID:
    key = make_key(shop.ada)
    return api_keys.create(actor=shop.ada, name=name, scope=Scope.MANAGE, key=key).api_key_id


def _webhook(shop: Shop, word: str) -> dict[str, UUID]:
    """Make an endpoint that hears nothing of the till, and a message to it."""
    details = {"url": f"https://hooks.example/{word}", "events": ["customer.erased"]}
    made = webhooks.create(actor=shop.ada, details=details, key=make_key(shop.ada))
    webhooks.send_test(actor=shop.ada, endpoint_id=made.endpoint_id, key=make_key(shop.ada))
    log = webhook_deliveries.list_page(actor=shop.ada, endpoint_id=made.endpoint_id)
    return {"endpoint_id": made.endpoint_id, "delivery_id": log.rows[0].delivery_id}


def _expiry(shop: Shop, card: Card) -> UUID:
    """Let points expire that the customer had, and give others."""
    at, today = datetime.now(UTC), datetime.now(UTC).date()
    with transaction():
        db.session.get_one(LoyaltyCard, card.card_id).points_good_until = today
    with transaction():
        rows = expiry_cards.lock(vendor_id=shop.vendor_id, card_ids=[card.card_id])
        expiry_steps.take(steps=[(rows[0], Decision(Step.TAKE))], night=Night(at, "UTC", today), now=clock())
    key = make_key(shop.ada)
    adjustments.adjust_points(actor=shop.ada, card=card.ref, delta=5000, reason="anew", key=key)
    found = expiry_restores.find(actor=shop.ada, card_id=card.card_id, at=at)
    assert found is not None
    return found.transaction_id


def _bulk(shop: Shop, card: Card) -> UUID:
    """Begin to switch the card off, which no worker ever does."""
    admin, key = Admin(user_id=shop.ada.user_id), make_key(shop.ada)
    choice = CardChoice(numbers=card.card_number)
    begun = bulk_deactivations.start(
        admin=admin, vendor_id=shop.vendor_id, choice=choice, expected=1, reason="because", key=key
    )
    return begun.bulk_id


def _people(shop: Shop, word: str) -> dict[str, UUID]:
    """Let Ada be signed in somewhere, and somebody be invited."""
    user_id, at = shop.ada.user_id, datetime.now(UTC)
    assert user_id is not None
    with transaction():
        user_sessions.open_new(user_id=user_id, vendor_id=shop.vendor_id, visit=user_sessions.Visit(), at=at)
    session_id = db.session.execute(sa.select(UserSession.id).where(UserSession.user_id == user_id)).scalar_one()
    key, email = make_key(shop.ada), f"new.{word}@mail.example"
    invited = invitations.create(actor=shop.ada, email=email, role="manager", locale="en", at=at, key=key)
    return {
        "mail_id": _mail(shop),
        "user_id": user_id,
        "session_id": session_id,
        "invitation_id": invited.invitation_id,
    }


def _mail(shop: Shop) -> UUID:
    """A mail of the shop of which nobody knows whether it arrived: the newest of all."""
    with transaction():
        newest = sa.select(EmailLog).where(EmailLog.vendor_id == shop.vendor_id).order_by(EmailLog.id.desc()).limit(1)
        mail = db.session.execute(newest).scalar_one()
        mail.state = "unknown"
        return mail.id
