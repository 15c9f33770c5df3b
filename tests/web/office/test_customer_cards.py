"""What an office does with a customer's card: correct it, close it, take back, mail its link."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.transactions import LoyaltyTransaction, TransactionDetail
from loyalty.services import cards, stamps
from tests.browsing import hidden
from tests.factories import change_policy, change_program, make_key
from tests.web.office.customer_pages import Bakery, audited, open_bakery, post


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    return open_bakery(app, client)


def test_it_corrects_a_balance_once_per_key(client: FlaskClient, bakery: Bakery) -> None:
    page = client.get(bakery.path)
    action = f"{bakery.path}/adjustments"
    for _ in range(2):
        answer = post(client, page, action, balance="points", delta="1 250", reason=" a gift ")
        assert (answer.status_code, answer.headers["Location"]) == (303, bakery.path)
    assert bakery.card().points_balance == 1250
    assert "The balance is corrected: it is 1,250 now." in client.get(bakery.path).text
    with bakery.app.app_context():
        notes = list(db.session.execute(sa.select(TransactionDetail.notes)).scalars())
    assert "a gift" in notes
    assert audited(bakery).count("card.adjusted") == 2  # the opening balance, and this


@pytest.mark.parametrize(
    ("balance", "delta", "reason", "sentence"),
    [
        ("stamps", "", "why", "Enter a number."),
        ("stamps", "1.5", "why", "Write a whole number in digits."),
        ("stamps", "0", "why", "Enter a number from -100000 to 100000, but not 0."),
        ("points", "100001", "why", "Enter a number from -100000 to 100000, but not 0."),
        ("stamps", "2", "  ", "Say why: the reason stands in the history."),
        ("stamps", "-4", "why", "No more can be taken than the card has: 3."),
        ("points", "−1", "why", "No more can be taken than the card has: 0."),
    ],
    ids=["nothing", "half", "zero", "too-many", "no-reason", "below-zero", "no-points"],
)
def test_it_says_beside_the_field_why_a_balance_is_not_corrected(
    client: FlaskClient, bakery: Bakery, balance: str, delta: str, reason: str, sentence: str
) -> None:
    before = bakery.card().ledger_seq
    page = client.get(bakery.path)
    answer = post(client, page, f"{bakery.path}/adjustments", balance=balance, delta=delta, reason=reason)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'name="delta" type="text" value="{delta}"' in answer.text
    assert f'value="{balance}" checked' in answer.text
    assert bakery.card().ledger_seq == before


def test_it_says_all_that_is_missing_at_once(client: FlaskClient, bakery: Bakery) -> None:
    page = client.get(bakery.path)
    answer = post(client, page, f"{bakery.path}/adjustments", balance="stamps", delta="", reason=" ")
    assert answer.status_code == 422
    assert "Plus or minus: Enter a number." in answer.text
    assert "Say why: the reason stands in the history." in answer.text


def test_it_corrects_what_the_program_collects(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        change_program(bakery.shop, loyalty_type="points")
    page = client.get(bakery.path)
    answer = post(client, page, f"{bakery.path}/adjustments", delta="5", reason="a gift")
    assert answer.status_code == 303
    assert bakery.card().points_balance == 5


def test_it_deactivates_with_a_reason_and_activates_again(client: FlaskClient, bakery: Bakery) -> None:
    action = f"{bakery.path}/deactivate"
    page = client.get(action)
    assert post(client, page, action, reason=" ").status_code == 422
    assert bakery.card().is_active
    for _ in range(2):
        assert post(client, page, action, reason="stolen").status_code == 303
    assert not bakery.card().is_active
    shown = client.get(bakery.path)
    assert "Deactivated" in shown.text
    assert "stolen" in shown.text
    assert "Correct the balance" not in shown.text
    late = client.post(
        f"{bakery.path}/adjustments",
        data={**hidden(shown), "balance": "stamps", "delta": "1", "reason": "why", "key": "k" * 20},
    )
    assert late.status_code == 422
    assert "This card has been deactivated." in late.text
    for _ in range(2):
        assert post(client, shown, f"{bakery.path}/reactivate").status_code == 303
    assert bakery.card().is_active
    assert audited(bakery)[-2:] == ["card_deactivated", "card_reactivated"]
    with bakery.app.app_context():
        kinds = list(
            db.session.execute(
                sa.select(LoyaltyTransaction.transaction_type).order_by(LoyaltyTransaction.seq)
            ).scalars()
        )
    assert kinds[-2:] == ["card_deactivated", "card_reactivated"]


def test_it_activates_no_card_beside_another_of_the_same_customer(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        cards.deactivate(actor=bakery.shop.ada, card=bakery.cleo.ref, reason="lost", key=make_key(bakery.shop.ada))
        with transaction():
            cards.create(actor=bakery.shop.ben, customer_id=bakery.cleo.customer_id)
    answer = post(client, client.get(bakery.path), f"{bakery.path}/reactivate")
    assert answer.status_code == 409
    assert "The customer has another card that is active. Deactivate that one first." in answer.text
    assert "Activate the card again" in answer.text
    assert not bakery.card().is_active


def test_it_takes_an_entry_back_with_a_reason(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        given = stamps.add(actor=bakery.shop.ben, card=bakery.cleo.ref, quantity=1, key=make_key(bakery.shop.ben))
    action = f"{bakery.path}/transactions/{given.transaction_id}/void"
    assert action in client.get(bakery.path).text
    page = client.get(action)
    assert "Ben" in page.text
    assert post(client, page, action, reason="").status_code == 422
    for _ in range(2):
        assert post(client, page, action, reason="a mistake").status_code == 303
    assert bakery.card().stamp_count == 3
    shown = client.get(bakery.path).text
    assert "(taken back)" in shown
    assert action not in shown
    assert audited(bakery).count("card.voided") == 1


def test_it_offers_no_taking_back_where_the_platform_forbids_it(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        given = stamps.add(actor=bakery.shop.ben, card=bakery.cleo.ref, quantity=1, key=make_key(bakery.shop.ben))
        change_policy(bakery.shop, allow_void_transactions=False)
    action = f"{bakery.path}/transactions/{given.transaction_id}/void"
    assert action not in client.get(bakery.path).text
    answer = post(client, client.get(action), action, reason="a mistake")
    assert answer.status_code == 409
    assert "This cannot be undone." in answer.text


def test_it_mails_the_link_at_most_three_times_a_day(client: FlaskClient, bakery: Bakery) -> None:
    action = f"{bakery.path}/link"
    page = client.get(bakery.path)
    for _ in range(2):
        assert post(client, page, action).status_code == 303
    for _ in range(2):
        assert post(client, client.get(bakery.path), action).status_code == 303
    refused = post(client, client.get(bakery.path), action)
    assert refused.status_code == 422
    assert "This address has got three mails within a day." in refused.text
    with bakery.app.app_context():
        mails = db.session.execute(sa.select(EmailLog.kind, EmailLog.recipient, EmailLog.card_id)).all()
    assert [tuple(mail) for mail in mails] == [("card_link", "cleo@example.org", bakery.cleo.card_id)] * 3
    assert audited(bakery).count("card.link_mailed") == 3


def test_it_offers_no_mail_to_whom_gave_no_address(client: FlaskClient, bakery: Bakery) -> None:
    page = client.get(bakery.path)
    with bakery.app.app_context(), transaction():
        db.session.execute(sa.update(Customer).values(email=None))
    answer = post(client, page, f"{bakery.path}/link")
    assert answer.status_code == 422
    assert "This customer has given no e-mail address." in answer.text
    assert "Mail the link to the card" not in answer.text
