"""Ada's bakery makes Apple passes, and Cleo has a card."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from loyalty.services import adjustments, passes
from tests import apple_passes
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.phone import Phone


@dataclass(frozen=True)
class Bakery:
    """The shop, a card, and where its pass is."""

    app: Flask
    shop: Shop
    card: Card
    address: str

    def phone(self) -> Phone:
        """A new phone."""
        return Phone(self.app.test_client())

    def stamp(self, delta: int = 1, card: Card | None = None) -> None:
        """Change a balance at the till."""
        with self.app.app_context():
            adjustments.adjust_stamps(
                actor=self.shop.ada,
                card=(card or self.card).ref,
                delta=delta,
                reason="a test",
                key=make_key(self.shop.ada),
            )

    def another_card(self) -> tuple[Card, str]:
        """Give somebody else a card."""
        with self.app.app_context():
            card = make_card(self.shop)
            return card, passes.find_apple_link(public_token=card.public_token) or ""


@pytest.fixture
def making(app: Flask) -> Iterator[None]:
    """Passes are made, with development certificates."""
    passes.configure(apple=apple_passes.passes())
    yield
    passes.configure(apple=None)


@pytest.fixture
def bakery(app: Flask, making: None) -> Bakery:
    """A shop with one card."""
    with app.app_context():
        shop = make_shop()
        card = make_card(shop, stamps=3)
        address = passes.find_apple_link(public_token=card.public_token)
        assert address
        return Bakery(app, shop, card, address)
