"""What wallets show beside what the card has: exact whatever the order of fetching and stamping, and told once more."""

from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import db
from loyalty.domain.values import Actor, Role
from loyalty.errors import CardNotFound, Forbidden, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.services import adjustments, card_lists, cards, passes, wallet_states
from loyalty.services.wallet_states import Shown, WalletState
from tests.apns_fake import Answer
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.google_fake import GoogleFake, Trouble
from tests.google_platform import deliver_all, google, object_id, row_of, save
from tests.jobs.apple_world import World, world

__all__ = ["google", "world"]


def state_of(actor: Actor, card: Card, wallet: str) -> WalletState:
    db.session.expire_all()
    found = wallet_states.list_states(actor=actor, card_id=card.card_id)
    return next(state for state in found if state.wallet == wallet)


def apple(world: World) -> WalletState:
    with world.app.app_context():
        return state_of(world.shop.ada, world.card, "apple")


def behind(shop: Shop) -> list[UUID]:
    return [row.card_id for row in card_lists.list_cards(actor=shop.ada, show="behind").rows]


def resend(shop: Shop, card: Card) -> list[str]:
    return wallet_states.resend(actor=shop.ada, card_id=card.card_id, key=make_key(shop.ada)).wallets


def test_it_knows_of_no_wallet_before_anybody_has_added_the_card(world: World) -> None:
    state = apple(world)
    assert (state.holders, state.shown, state.at, state.delivery, state.is_off) == (0, None, None, None, False)


def test_it_follows_a_pass_from_the_download_to_the_next_fetch(world: World) -> None:
    phone, held = world.phone()
    state = apple(world)
    assert (state.holders, state.shown, state.is_current) == (1, Shown(3, 0, True), True)
    world.stamp()
    state = apple(world)
    assert (state.shown, state.is_current) == (Shown(3, 0, True), False)
    assert state.delivery is not None
    assert not state.delivery.gave_up
    world.deliver()
    assert apple(world).delivery is None
    assert apple(world).shown == Shown(3, 0, True)
    assert phone.wake() == [held.serial]
    state = apple(world)
    assert (state.shown, state.is_current) == (Shown(4, 0, True), True)


def test_it_counts_a_phone_once_that_calls_itself_by_two_names(world: World) -> None:
    phone, held = world.phone()
    phone.device = "another-name"
    assert phone.register(held) == 201
    assert apple(world).holders == 1
    world.phone()
    assert apple(world).holders == 2


def test_it_does_not_count_what_is_written_while_the_pass_is_made(world: World) -> None:
    _, held = world.phone()
    token = str(held.opened.says["authenticationToken"]).encode()
    with world.app.app_context():
        served = passes.get_pass(pass_type=held.pass_type, serial=held.serial, token=token, since=None)
    world.stamp()
    with world.app.app_context():
        passes.note_fetched(serial=held.serial, served=served)
    assert apple(world).shown == Shown(3, 0, True)
    assert apple(world).at == served.read_at


def test_it_keeps_the_newer_of_two_passes_that_were_fetched_at_once(world: World) -> None:
    _, held = world.phone()
    token = str(held.opened.says["authenticationToken"]).encode()
    served = []
    with world.app.app_context():
        for _ in range(2):
            served.append(passes.get_pass(pass_type=held.pass_type, serial=held.serial, token=token, since=None))
            world.stamp()
        for each in reversed(served):
            passes.note_fetched(serial=held.serial, served=each)
    assert apple(world).shown == Shown(4, 0, True)


def test_it_believes_no_second_download_about_a_phone_that_has_the_pass(world: World) -> None:
    phone, held = world.phone()
    world.stamp()
    with world.app.app_context():
        address = passes.find_apple_link(public_token=world.card.public_token) or ""
    assert phone.client.get(address.removeprefix(urlsplit(address).scheme + "://" + urlsplit(address).netloc)).data
    assert apple(world).shown == Shown(3, 0, True)
    assert held.stamps.startswith("3")


def test_it_takes_equal_balances_for_equal_whatever_came_between(world: World) -> None:
    world.phone()
    world.stamp()
    world.stamp(-1)
    assert apple(world).is_current
    with world.app.app_context():
        assert behind(world.shop) == []
        world.stamp()
        assert behind(world.shop) == [world.card.card_id]


def test_it_sees_that_a_pass_does_not_show_the_end_of_its_card(world: World) -> None:
    phone, _ = world.phone()
    shop, card = world.shop, world.card
    with world.app.app_context():
        cards.deactivate(actor=shop.ada, card=card.ref, reason="lost", key=make_key(shop.ada))
        assert behind(shop) == [card.card_id]
    state = apple(world)
    assert (state.shown, state.is_current) == (Shown(3, 0, True), False)
    world.deliver()
    phone.wake()
    assert apple(world).shown == Shown(3, 0, False)
    assert apple(world).is_current
    with world.app.app_context():
        assert behind(shop) == []
        cards.reactivate(actor=shop.ada, card=card.ref, reason="found", key=make_key(shop.ada))
        assert behind(shop) == [card.card_id]


def test_it_counts_the_phones(world: World) -> None:
    first, held = world.phone()
    world.phone()
    assert apple(world).holders == 2
    first.throw_away(held)
    assert apple(world).holders == 1


def test_it_shows_why_apple_was_not_told_until_it_is(world: World) -> None:
    phone, _ = world.phone()
    world.apns.by_token[phone.push_token] = [Answer(500, "InternalServerError"), Answer()]
    world.stamp()
    world.deliver()
    failing = apple(world).delivery
    assert failing is not None
    assert "InternalServerError" in failing.error
    assert (failing.attempts, failing.gave_up) == (1, False)
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE outbox SET gave_up_at = now() WHERE delivered_at IS NULL"))
    given_up = apple(world).delivery
    assert given_up is not None
    assert given_up.gave_up
    with world.app.app_context():
        assert resend(world.shop, world.card) == ["apple"]
    world.wait()
    world.deliver()
    phone.wake()
    state = apple(world)
    assert (state.delivery, state.shown) == (None, Shown(4, 0, True))


def test_it_pushes_again_where_every_phone_was_told_and_nothing_has_changed(world: World) -> None:
    phone, held = world.phone()
    world.stamp()
    world.deliver()
    phone.wake()
    before, fetched = len(world.apns.seen), apple(world).at
    world.deliver()
    assert len(world.apns.seen) == before
    with world.app.app_context():
        assert resend(world.shop, world.card) == ["apple"]
    world.wait()
    world.deliver()
    assert len(world.apns.seen) == before + 1
    # A phone that wakes gets the pass anew, and not the answer that it has it already.
    held.last_modified = "Thu, 01 Jan 2026 00:00:00 GMT"
    assert phone.wake() == [held.serial]
    after = apple(world).at
    assert fetched is not None
    assert after is not None
    assert after > fetched


@pytest.mark.usefixtures("context")
def test_it_follows_what_google_was_told(google: GoogleFake) -> None:
    shop = make_shop()
    card = make_card(shop, stamps=3)
    assert state_of(shop.ada, card, "google").holders == 0
    save(card)
    state = state_of(shop.ada, card, "google")
    assert (state.holders, state.shown, state.is_current) == (1, Shown(3, 0, True), True)
    assert state.at is not None
    adjustments.adjust_stamps(actor=shop.ada, card=card.ref, delta=2, reason="a test", key=make_key(shop.ada))
    assert state_of(shop.ada, card, "google").shown == Shown(3, 0, True)
    assert behind(shop) == [card.card_id]
    deliver_all()
    state = state_of(shop.ada, card, "google")
    assert (state.shown, state.is_current, state.delivery) == (Shown(5, 0, True), True, None)
    assert behind(shop) == []


@pytest.mark.usefixtures("context")
def test_it_patches_again_where_google_has_it_already(google: GoogleFake) -> None:
    shop = make_shop()
    card = make_card(shop, stamps=3)
    save(card)
    deliver_all()
    google.calls.clear()
    told_at = row_of(card.card_id).google_told_at
    assert resend(shop, card) == ["google"]
    deliver_all()
    assert google.methods() == ["PATCH loyaltyObject"]
    assert google.objects[object_id(card)]["loyaltyPoints"]["balance"]
    assert told_at is not None
    assert (row_of(card.card_id).google_told_at or told_at) > told_at


@pytest.mark.usefixtures("context")
def test_it_sends_again_what_google_has_refused(google: GoogleFake) -> None:
    shop = make_shop()
    card = make_card(shop, stamps=3)
    save(card)
    adjustments.adjust_stamps(actor=shop.ada, card=card.ref, delta=1, reason="a test", key=make_key(shop.ada))
    google.trouble.append(Trouble(status=400, message="The card is not to my taste"))
    deliver_all()
    state = state_of(shop.ada, card, "google")
    assert state.delivery is not None
    assert state.delivery.gave_up
    assert "not to my taste" in state.delivery.error
    assert state.shown == Shown(3, 0, True)
    resend(shop, card)
    waiting = state_of(shop.ada, card, "google").delivery
    assert waiting is not None
    assert not waiting.gave_up
    deliver_all()
    state = state_of(shop.ada, card, "google")
    assert (state.delivery, state.shown) == (None, Shown(4, 0, True))


@pytest.mark.usefixtures("context")
def test_it_refuses_to_send_what_nobody_holds(google: GoogleFake) -> None:
    shop = make_shop()
    card = make_card(shop)
    with pytest.raises(ValidationError) as refusal:
        resend(shop, card)
    assert refusal.value.errors == {"wallets": "No wallet holds this card, so there is nothing to send."}


def test_it_refuses_while_the_wallet_is_off(world: World) -> None:
    world.phone()
    passes.configure(apple=None)
    assert apple(world).is_off
    with world.app.app_context(), pytest.raises(ValidationError) as refusal:
        resend(world.shop, world.card)
    assert "switched off" in refusal.value.errors["wallets"]


@pytest.mark.usefixtures("context")
def test_it_sends_again_once_per_key_and_writes_it_down(google: GoogleFake) -> None:
    shop = make_shop()
    card = make_card(shop)
    save(card)
    key = make_key(shop.ada)
    first = wallet_states.resend(actor=shop.ada, card_id=card.card_id, key=key)
    again = wallet_states.resend(actor=shop.ada, card_id=card.card_id, key=key)
    assert (first.replayed, again.replayed, again.wallets) == (False, True, ["google"])
    events = db.session.execute(sa.select(AuditEvent).where(AuditEvent.action == "card.resent")).scalars().all()
    assert [(event.subject_id, event.user_id) for event in events] == [(str(card.card_id), shop.ada.user_id)]


@pytest.mark.usefixtures("context")
def test_it_answers_only_managers_of_the_same_shop(google: GoogleFake) -> None:
    shop, butcher = make_shop(), make_shop("meat")
    card = make_card(shop)
    save(card)
    with pytest.raises(CardNotFound):
        wallet_states.list_states(actor=butcher.ada, card_id=card.card_id)
    with pytest.raises(CardNotFound):
        resend(butcher, card)
    with pytest.raises(Forbidden):
        wallet_states.resend(actor=shop.ben, card_id=card.card_id, key=make_key(shop.ben))
    manager = replace(shop.ada, role=Role.MANAGER)
    assert wallet_states.resend(actor=manager, card_id=card.card_id, key=make_key(manager)).wallets == ["google"]
