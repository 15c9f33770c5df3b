"""A phone without JavaScript, and a shop to join."""

import re
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import Shop, make_shop


@dataclass(frozen=True)
class Phone:
    """Opens pages and sends the forms on them, hidden fields and all."""

    browser: FlaskClient

    def get(self, address: str, **headers: str) -> TestResponse:
        """Open a page."""
        return self.browser.get(address, headers=headers)

    def send(self, page: TestResponse, **fields: str) -> TestResponse:
        """Send the form of a page with what was typed."""
        html = page.get_data(as_text=True)
        action = re.search(r'<form class="form" method="post" action="([^"]+)"', html)
        assert action, html
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html))
        return self.browser.post(action.group(1), data={**hidden, **fields})


@pytest.fixture
def phone(app: Flask) -> Phone:
    """Cleo's phone."""
    return Phone(app.test_client())


@pytest.fixture
def bakery(app: Flask) -> Shop:
    """Ada's bakery."""
    with app.app_context():
        shop = make_shop(vendor={"name": "Ada's Bakery"}, stamps_reward_description="1 free coffee", welcome_stamps=1)
    return shop
