"""How many SQL statements an operation may send."""

import pytest
from flask import Flask

from loyalty.domain.values import Scope
from loyalty.web.api.operations import OPERATIONS
from tests import factories
from tests.web.api.callers import Caller
from tests.web.api.conftest import Stocked
from tests.web.api.test_matrix import ask
from tests.web.test_queries import counted

USUAL = 10
# Looking for what is taken back, and whether something stands on it; for the shop, its rewards, and whom it knows.
# A replaced card leaves its old codes and phones to a row of their own, and its customer is mailed the new link.
# Whoever's reward a correction makes ready is mailed.
MOST = {
    "enrol": 13,
    "replace_card": 15,
    "adjust_stamps": 12,
    "void_stamps": 14,
    "void_points": 14,
    "void_transaction": 15,
}
FEW = 6


def test_it_stamps_with_few_statements(app: Flask, stocked: Stocked) -> None:
    business, caller = stocked.business, Caller(app, stocked.manage)
    with app.app_context():
        factories.change_policy(business.shop, staff_pin_policy="disabled")
    body = {"card_id": business.ids["card_id"]}
    assert caller.post("/vendor/loyalty/stamps", body).status_code == 200
    with counted(app) as sent:
        answer = caller.post("/vendor/loyalty/stamps", body)
    assert answer.status_code == 200, answer.text
    assert len(sent) <= FEW, "\n".join(sent)


@pytest.mark.parametrize("name", [made.name for made in OPERATIONS if made.scope not in (None, Scope.PLATFORM)])
def test_it_asks_the_database_a_few_times_for_each_operation(app: Flask, stocked: Stocked, name: str) -> None:
    business, caller = stocked.business, Caller(app, stocked.manage)
    with app.app_context():
        factories.change_policy(business.shop, staff_pin_policy="disabled")
    made = next(made for made in OPERATIONS if made.name == name)
    ask(caller, made, business)
    with counted(app) as sent:
        ask(caller, made, business)
    assert len(sent) <= MOST.get(name, USUAL), "\n".join(sent)
