"""Whatever order changes, pushes, lists and fetches come in, in the end every phone shows the present balance."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty import jobs
from loyalty.adapters.apns import Pushed
from loyalty.jobs import apple
from loyalty.services import adjustments, outbox, passes
from tests import apple_passes
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.phone import HeldPass, Phone

PHONES = 3
CARDS = 2
STEPS = ("stamp", "unstamp", "deliver", "add", "register", "list", "fetch", "wake", "remove", "move")
step = st.tuples(st.sampled_from(STEPS), st.integers(0, PHONES - 1), st.integers(0, CARDS - 1))


@dataclass
class Pocket:
    """A phone, what it was told by pushes, and what it has listed but not fetched yet."""

    phone: Phone
    registered: set[str] = field(default_factory=set)
    woken: bool = False
    listed: list[str] = field(default_factory=list)


@dataclass
class Street:
    """A shop, its cards, and people with phones."""

    app: Flask
    shop: Shop
    cards: list[Card]
    addresses: list[str]
    pockets: list[Pocket]

    def push(self, tokens: list[str], at: object) -> Pushed:
        """Be the push service: what reaches no phone is lost, as Apple's may be after a phone has moved."""
        for pocket in self.pockets:
            pocket.woken |= pocket.phone.push_token in tokens
        return Pushed(accepted=list(tokens))

    def close(self) -> None:
        """Nothing is connected."""

    def do(self, name: str, number: int, card: int) -> None:
        """Let one thing happen."""
        pocket, held = self.pockets[number], self._held(number, card)
        if name in ("stamp", "unstamp"):
            self._adjust(card, 1 if name == "stamp" else -1)
        elif name == "deliver":
            self.deliver()
        elif name == "add" and held is None:
            pocket.phone.add(self.addresses[card])
        elif name == "register" and held:
            assert pocket.phone.register(held) in (200, 201)
            pocket.registered.add(held.serial)
        elif name == "move" and held and held.serial in pocket.registered:
            pocket.phone.push_token = pocket.phone.push_token[::-1] + "0"
            for serial in pocket.registered:
                assert pocket.phone.register(pocket.phone.passes[serial]) == 200
        elif name == "remove" and held:
            assert pocket.phone.throw_away(held) == 200
            pocket.registered.discard(held.serial)
        elif name == "list" and pocket.phone.passes:
            pocket.listed += pocket.phone.list_changed(apple_passes.passes().pass_type_id)
        elif name == "fetch" and pocket.listed:
            self._fetch(pocket, pocket.listed.pop())
        elif name == "wake" and pocket.woken:
            self.wake(pocket)

    def deliver(self) -> None:
        """Be the worker."""
        with self.app.app_context():
            for message_id in outbox.due(limit=100):
                jobs.deliver(str(message_id))

    def wake(self, pocket: Pocket) -> None:
        """Be the phone that was pushed to: it lists and fetches."""
        pocket.woken = False
        if pocket.phone.passes:
            pocket.listed += pocket.phone.list_changed(apple_passes.passes().pass_type_id)
        for serial in pocket.listed:
            self._fetch(pocket, serial)
        pocket.listed.clear()

    def balance(self, card: int) -> str:
        """What the card holds."""
        with self.app.app_context(), sa.create_engine(self.app.config["CONFIG"].database_url).connect() as connection:
            query = sa.text("SELECT stamp_count FROM loyalty_cards WHERE id = :id")
            return f"{connection.execute(query, {'id': self.cards[card].card_id}).scalar_one()}/10"

    def shown(self) -> Iterator[tuple[str, str]]:
        """What registered phones show, and what they should."""
        for number in range(PHONES):
            for card in range(CARDS):
                held = self._held(number, card)
                if held and held.serial in self.pockets[number].registered:
                    yield held.stamps, self.balance(card)

    def _fetch(self, pocket: Pocket, serial: str) -> None:
        if serial in pocket.phone.passes:
            pocket.phone.fetch(serial)

    def _held(self, number: int, card: int) -> HeldPass | None:
        held = self.pockets[number].phone.passes.values()
        return next((one for one in held if one.serial in self.addresses[card]), None)

    def _adjust(self, card: int, delta: int) -> None:
        if delta < 0 and self.balance(card) == "0/10":
            return
        actor, ref = self.shop.ada, self.cards[card].ref
        with self.app.app_context():
            adjustments.adjust_stamps(actor=actor, card=ref, delta=delta, reason="a test", key=make_key(actor))


@pytest.fixture
def making(app: Flask) -> Iterator[None]:
    passes.configure(apple=apple_passes.passes())
    yield
    apple.configure(apns=None)
    passes.configure(apple=None)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(step, min_size=10, max_size=40))
def test_it_ends_with_the_present_balance_on_every_phone(
    app: Flask, making: None, steps: list[tuple[str, int, int]]
) -> None:
    street = make_street(app)
    apple.configure(apns=street)  # type: ignore[arg-type] # the wires have tests of their own
    for name, number, card in steps:
        street.do(name, number, card)
    street.deliver()
    for pocket in street.pockets:
        # Nothing but what pushes caused, and what had been listed before.
        if pocket.woken:
            street.wake(pocket)
        for serial in pocket.listed:
            street._fetch(pocket, serial)
    assert [(shown, right) for shown, right in street.shown() if shown != right] == []


def make_street(app: Flask) -> Street:
    with app.app_context():
        shop = make_shop(f"shop{make_key().key[:12].lower().replace('_', 'x').replace('-', 'y')}")
        cards = [make_card(shop, stamps=3) for _ in range(CARDS)]
        addresses = [passes.find_apple_link(public_token=card.public_token) or "" for card in cards]
    return Street(app, shop, cards, addresses, [Pocket(Phone(app.test_client())) for _ in range(PHONES)])
