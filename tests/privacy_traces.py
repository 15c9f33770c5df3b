"""All that the newer parts know of a customer: proofs, corrections, a lost card, phones, mails, programs, masses."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from loyalty import jobs
from loyalty.database import db, transaction
from loyalty.domain.joining import JoinForm
from loyalty.domain.mails import OF_CUSTOMERS
from loyalty.domain.people import masked_email
from loyalty.domain.values import Admin, Scope
from loyalty.models.cards import LoyaltyCard
from loyalty.models.mail import Confirmation, MailSettings
from loyalty.services import (
    bulk_deactivations,
    consents,
    corrections,
    enrolment,
    lifecycle,
    links,
    messages,
    my_data,
    my_data_proofs,
    outbox,
    replacements,
)
from loyalty.services.bulk_choices import CardChoice
from tests import bulk
from tests.factories import Card, Shop, make_key
from tests.google_platform import save
from tests.jobs.apple_world import World
from tests.mails import make_mail
from tests.phone import HeldPass, Phone
from tests.privacy_life import Life, be_mailed, collect
from tests.web.api.callers import Caller, make_api_key

# The phones of a customer: the one with the pass of the lost card, and the one with the present pass.
Phones = list[tuple[Phone, HeldPass]]


def deliver() -> None:
    """Do what a worker does with all that is due."""
    for message_id in outbox.due(limit=200):
        jobs.deliver(str(message_id))


def live_long(world: World, shop: Shop, word: str, phone: str, *, at: datetime) -> tuple[Life, Phones]:
    """Live through everything that leaves traces; `at` is noon of the customer's birthday."""
    with world.app.app_context():
        life = _join(shop, word, phone, at)
        collect(life, word)
        # Of the mails that anybody can have sent to an address there are three a day.
        be_mailed(life, word, at + timedelta(days=2))
        _see_own_data(life, word, at)
        save(card_of(life))
    phones = [_hold(world, life, "lost")]
    with world.app.app_context():
        _move(life, word, phone, at)
        _lose_card(life, word)
        save(card_of(life))
        _be_written_to(life, at)
    phones.append(_hold(world, life, "present"))
    _be_served_by_programs(world, life, word)
    with world.app.app_context():
        _go_with_a_mass(life)
        deliver()
    return life, phones


def card_of(life: Life) -> Card:
    """The card as it stands."""
    with transaction():
        db.session.expire_all()
        row = db.session.get_one(LoyaltyCard, life.card_id)
        return Card(row.id, row.customer_id, row.card_number, row.scan_code, row.public_token)


def _join(shop: Shop, word: str, phone: str, at: datetime) -> Life:
    """Join at a shop that mails a link first."""
    email, name = f"{word.lower()}.first@example.org", f"{word} First"
    birthday = date(1987, at.month, at.day)
    form = JoinForm(email=email, phone=phone, name=name, birth_date=birthday, marketing_consent=True)
    asked = enrolment.join(
        vendor_code=shop.code, store_code="main", form=form, locale="fr", key=make_key(asked=form), at=at
    )
    assert asked.state == "confirm"
    token = links.confirmation(_newest_question("join", email), "join").rpartition("/")[2]
    joined = enrolment.confirm_join(token=token, key=make_key(), at=at)
    assert joined.card_id
    with transaction():
        card = db.session.get_one(LoyaltyCard, joined.card_id)
        life = Life(shop, card.customer_id, card.id, card.public_token)
        life.words |= {"scan code": card.scan_code, "public token": card.public_token}
    life.words |= {"email": email, "digest of the email": messages.address_hash(email), "phone": phone}
    life.words |= {"name": name, "birthday": birthday.isoformat()}
    return life


def _newest_question(kind: str, address: str) -> UUID:
    with transaction():
        asked = sa.select(Confirmation.id).where(Confirmation.kind == kind, Confirmation.address == address)
        return db.session.scalars(asked.order_by(Confirmation.id.desc())).first() or UUID(int=0)


def _see_own_data(life: Life, word: str, at: datetime) -> None:
    """Prove the address, correct the name, take a copy along, ask to be forgotten and think better of it."""
    my_data_proofs.ask(token=life.public_token, key=make_key(), at=at)
    confirmation_id = _newest_question("my_data", life.words["email"])
    proof = links.my_data(life.public_token, confirmation_id).rpartition("/")[2]
    my_data_proofs.prove(token=life.public_token, proof=proof, key=make_key(), at=at)
    own: dict[str, Any] = {"token": life.public_token, "confirmation_id": confirmation_id, "at": at}
    life.words["corrected name"] = f"{word} Second"
    details = my_data.Corrections(
        name=life.words["corrected name"],
        birth_date=date(1987, at.month, at.day),
        locale="de",
        marketing_consent=False,
        accept_terms=True,
    )
    my_data.correct(details=details, key=make_key(), **own)
    my_data.export(key=make_key(), say=str, **own)
    my_data.erase_later(key=make_key(), **own)
    my_data.keep(token=life.public_token, key=make_key(), at=at)


def _move(life: Life, word: str, phone: str, at: datetime) -> None:
    """Get another mailbox and another number, which the shop writes down."""
    email, number = f"{word.lower()}.second@moved.example.org", f"{phone[:-1]}9"
    corrections.correct(
        actor=life.shop.ada, card_id=life.card_id, email=email, phone=number, key=make_key(life.shop.ada), at=at
    )
    life.words |= {"corrected email": email, "digest of the corrected email": messages.address_hash(email)}
    life.words |= {"hint at the corrected email": masked_email(email), "corrected phone": number}


def _lose_card(life: Life, word: str) -> None:
    life.words["reason of the replacement"] = f"{word} lost it in the bus"
    reason = life.words["reason of the replacement"]
    replacements.replace(actor=life.shop.ada, card=life.ref, reason=reason, key=make_key(life.shop.ada))
    new = card_of(life)
    life.words |= {"new scan code": new.scan_code, "new public token": new.public_token}
    life.public_token = new.public_token


def _hold(world: World, life: Life, which: str) -> tuple[Phone, HeldPass]:
    """Put the pass into a phone."""
    with world.app.app_context():
        card = card_of(life)
    phone, held = world.phone(card)
    secret = str(held.opened.says["authenticationToken"])
    ids = {"device": phone.device, "push token": phone.push_token, "serial": held.serial, "secret": secret}
    life.words |= {f"{name} of the {which} pass": text for name, text in ids.items()}
    return phone, held


def _be_written_to(life: Life, at: datetime) -> None:
    """Get a present on the birthday, and a mail of every other kind."""
    own = {"vendor_id": life.shop.vendor_id, "customer_id": life.customer_id}
    with transaction():
        db.session.add(MailSettings(vendor_id=life.shop.vendor_id, birthday=True, birthday_points=5))
        consents.decide_news(given=True, source="my_data", at=at, **own)
    assert lifecycle.run(at=at) == 1
    for kind in OF_CUSTOMERS:
        recipient = life.words["corrected email"]
        make_mail(life.shop, card_of(life), kind=kind, event_key=f"one of each {life.card_id}", recipient=recipient)


def _be_served_by_programs(world: World, life: Life, word: str) -> None:
    """Be looked up, stamped and joined again by the shop's own software, and looked at by a browser."""
    with world.app.app_context():
        caller = Caller(world.app, make_api_key(life.shop, Scope.MANAGE), {"User-Agent": f"{word}Till/2.0"})
    life.words |= {"program": f"{word}Till/2.0", "note of a program": f"{word} has a dog"}
    email = life.words["corrected email"]
    found = caller.post("/vendor/loyalty/cards/lookup", {"email": email}).json or {}
    assert found["card_id"] == str(life.card_id)
    stamped = {"card_id": str(life.card_id), "notes": life.words["note of a program"]}
    known = {"email": email, "name": life.words["corrected name"], "phone": life.words["corrected phone"]}
    asked: Mapping[str, tuple[dict[str, Any], int]] = {
        "/vendor/loyalty/stamps": (stamped, 200),
        "/vendor/loyalty/cards": (known, 200),
        f"/loyalty/programs/{life.shop.code}/enroll": ({**known, "accept_terms": True}, 202),
    }
    for path, (body, status) in asked.items():
        answer = caller.post(path, body)
        assert answer.status_code == status, answer.text
    page = world.app.test_client().get(f"/card/{life.public_token}")
    assert page.status_code == 200


def _go_with_a_mass(life: Life) -> None:
    """Be switched off together with others, and on again."""
    admin, shop = Admin(user_id=life.shop.ada.user_id), life.shop
    numbers = card_of(life).card_number
    bulk_id = bulk.begin(admin, shop.vendor_id, 1, CardChoice(numbers=numbers), "A list of lost cards")
    bulk.work(bulk_id)
    bulk_deactivations.undo(admin=admin, bulk_id=bulk_id, key=bulk.new_key(admin))
    bulk.work(bulk_id)
