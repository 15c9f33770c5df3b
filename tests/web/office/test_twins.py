"""One form of a customer's page sent many times at once, by the same browser, with the same and with other words."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.domain.values import Role
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.users import UserSession
from loyalty.services import points, verification
from tests.browsing import hidden
from tests.factories import Card, make_card, make_key, make_shop
from tests.tills import all_at_once
from tests.web.office.customer_pages import Bakery, audited, enter

Sent = tuple[str, dict[str, str]]


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    with app.app_context():
        shop = make_shop(loyalty_type="hybrid")
        cleo = make_card(shop, stamps=3, points=50, name="Cleo Martin")
    enter(app, client, shop, Role.OWNER)
    return Bakery(app, shop, cleo)


@pytest.fixture
def twin(bakery: Bakery) -> Card:
    with bakery.app.app_context():
        return make_card(bakery.shop, stamps=2, points=7, name="Cleo Martin")


def at_once(app: Flask, client: FlaskClient, sent: Sequence[Sent]) -> list[int]:
    """Send forms together, each over a connection of its own; return the statuses in order."""
    cookie = client.get_cookie("session")
    assert cookie is not None

    def send(path: str, fields: dict[str, str]) -> int:
        browser = app.test_client()
        browser.set_cookie("session", cookie.value)
        return browser.post(path, data=fields).status_code

    return all_at_once(app, [partial(send, *each) for each in sent])


def drawn(client: FlaskClient, action: str, **query: object) -> dict[str, str]:
    """Return what the page of a form holds."""
    return hidden(client.get(action, query_string=query), action)


def rows(bakery: Bakery, kind: str) -> int:
    with bakery.app.app_context():
        mine = sa.select(sa.func.count()).select_from(LoyaltyTransaction)
        return db.session.execute(mine.where(LoyaltyTransaction.transaction_type == kind)).scalar_one()


def held(bakery: Bakery) -> Counter[str]:
    """Return what all cards hold together, and how many are active."""
    with bakery.app.app_context():
        assert not verification.verify().findings
        columns = (LoyaltyCard.stamp_count, LoyaltyCard.points_balance, LoyaltyCard.is_active)
        found = Counter[str]()
        for row in db.session.execute(sa.select(*columns).order_by(LoyaltyCard.id)):
            found.update(stamps=row.stamp_count, points=row.points_balance, active=int(row.is_active))
        return found


def test_it_brings_two_cards_together_once_for_many(
    app: Flask, client: FlaskClient, bakery: Bakery, twin: Card
) -> None:
    there, back = f"{bakery.path}/merge", f"/office/customers/{twin.card_id}/merge"
    one = {**drawn(client, there, **{"from": twin.card_id}), "from": str(twin.card_id)}
    other = {**drawn(client, back, **{"from": bakery.cleo.card_id}), "from": str(bakery.cleo.card_id)}
    # The same the other way round, and the same key for another card.
    sent = [(there, one)] * 3 + [(back, other)] * 2 + [(back, {**other, "key": one["key"]})]
    statuses = Counter(at_once(app, client, sent))
    assert statuses[303] in (1, 2, 3), statuses
    assert set(statuses) <= {303, 409, 422}
    assert held(bakery) == Counter(stamps=5, points=57, active=1)
    assert audited(bakery).count("card.merged") == 1


def test_it_replaces_a_card_once_for_many(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    action = f"{bakery.path}/replace"
    fields = {**drawn(client, action), "reason": "Lost"}
    statuses = Counter(at_once(app, client, [(action, fields)] * 4 + [(action, {**fields, "reason": "Stolen"})]))
    assert set(statuses) <= {303, 409, 422}, statuses
    assert audited(bakery).count("card.replaced") == 1
    assert bakery.card().card_number != bakery.cleo.card_number


def test_it_takes_back_once_for_many(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    with app.app_context():
        ben = bakery.shop.ben
        earned = points.earn(actor=ben, card=bakery.cleo.ref, purchase_amount_cents=500, key=make_key(ben))
    action = f"{bakery.path}/transactions/{earned.transaction_id}/void"
    forms = [{**drawn(client, action), "reason": reason} for reason in ("mistyped", "mistyped", "came back")]
    again = {**forms[0], "reason": "another word"}
    statuses = Counter(at_once(app, client, [(action, each) for each in (*forms, forms[0], again)]))
    assert set(statuses) <= {303, 409, 422}, statuses
    assert rows(bakery, "points_voided") == 1
    assert held(bakery)["points"] == 50


def test_it_does_nothing_for_a_session_that_ended_meanwhile(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    """The form is kept, and sent after signing in it is done once."""
    action = f"{bakery.path}/replace"
    fields = {**drawn(client, action), "reason": "Lost"}
    with app.app_context(), transaction():
        db.session.execute(sa.update(UserSession).values(ended_at=sa.func.now()))
    assert set(at_once(app, client, [(action, fields)] * 3)) == {401}
    assert bakery.card().card_number == bakery.cleo.card_number


def test_it_knows_the_answer_of_a_tap_whose_answer_was_lost(
    app: Flask, client: FlaskClient, bakery: Bakery, twin: Card
) -> None:
    """Sent again after all has gone on: the card was replaced, the other closed. It says done and does nothing."""
    action = f"{bakery.path}/merge"
    merged = {**drawn(client, action, **{"from": twin.card_id}), "from": str(twin.card_id)}
    assert client.post(action, data=merged).status_code == 303
    replaced = {**drawn(client, f"{bakery.path}/replace"), "reason": "Lost"}
    assert client.post(f"{bakery.path}/replace", data=replaced).status_code == 303
    number = bakery.card().card_number
    assert client.post(action, data=merged).status_code == 303
    assert client.post(f"{bakery.path}/replace", data=replaced).status_code == 303
    assert (bakery.card().card_number, held(bakery)["stamps"]) == (number, 5)
