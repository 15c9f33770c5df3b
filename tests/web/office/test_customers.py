"""Customers in the office: found, shown, corrected, deactivated; their passes and links sent again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.database import AnyRow, db, transaction
from loyalty.domain.values import Role
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.models.transactions import LoyaltyTransaction, TransactionDetail
from loyalty.services import accounts, card_lists, stamps
from tests.browsing import hidden, sign_in
from tests.factories import Card, Shop, change_policy, change_program, make_card, make_key, make_shop
from tests.google_fake import GoogleFake, Trouble
from tests.google_platform import deliver_all, google, save
from tests.office import PASSWORD, Office

__all__ = ["google"]

HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Bakery:
    """Ada's bakery with Cleo's card."""

    app: Flask
    shop: Shop
    cleo: Card

    @property
    def path(self) -> str:
        return f"/office/customers/{self.cleo.card_id}"

    def card(self) -> AnyRow:
        query = sa.select(*LoyaltyCard.__table__.columns).where(LoyaltyCard.id == self.cleo.card_id)
        with self.app.app_context():
            return db.session.execute(query).one()


def enter(app: Flask, client: FlaskClient, shop: Shop, role: Role = Role.OWNER) -> None:
    email = f"office@{shop.code}.example"
    with app.app_context():
        user_id = accounts.create_owner(vendor_id=shop.vendor_id, email=email, password=PASSWORD, role=role)
    assert user_id
    sign_in(client, Office(shop.vendor_id, shop.store_id, shop.code, email, shop.ada))


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    with app.app_context():
        shop = make_shop(loyalty_type="hybrid", cooldown_minutes=0, max_daily_stamps=50)
        cleo = make_card(shop, stamps=3, name="Cleo Martin", email="cleo@example.org", phone="+352621123456")
    enter(app, client, shop, Role.MANAGER)
    return Bakery(app, shop, cleo)


def post(client: FlaskClient, page: TestResponse, action: str, **typed: str) -> TestResponse:
    return client.post(action, data={**hidden(page, action), **typed})


def audited(bakery: Bakery) -> list[str]:
    with bakery.app.app_context():
        return list(db.session.execute(sa.select(AuditEvent.action).order_by(AuditEvent.id)).scalars())


def test_it_asks_for_the_poster_where_nobody_has_joined(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        shop = make_shop()
    enter(app, client, shop)
    page = client.get("/office/customers").text
    assert "No customers yet." in page
    assert "<table" not in page


@pytest.mark.parametrize(
    "text", ["Cleo", "martin", " CLEO martin ", "cleo@example.org", "621 123 456", "+352 621 123 456"]
)
def test_it_finds_a_customer_by_what_people_say(client: FlaskClient, bakery: Bakery, text: str) -> None:
    with bakery.app.app_context():
        make_card(bakery.shop, name="Dora Weber")
    page = client.get("/office/customers", query_string={"q": text}).text
    assert f'href="{bakery.path}"' in page
    assert "1 of 1 customer, newest first" in page
    assert "Dora" not in page


def test_it_finds_a_card_by_its_number_and_keeps_what_was_typed(client: FlaskClient, bakery: Bakery) -> None:
    number = bakery.cleo.card_number
    page = client.get("/office/customers", query_string={"q": f"{number[:4]} {number[4:7]} {number[7:]}"}).text
    assert f'href="{bakery.path}"' in page
    page = client.get("/office/customers", query_string={"q": '<b>"nobody"', "show": "active"}).text
    assert 'value="&lt;b&gt;&#34;nobody&#34;"' in page
    assert "Nothing fits" in page
    assert "Show all customers" in page


@pytest.mark.parametrize("typed", ["%", "_", "x" * 5000, "@", "12345678901234567890", "\u202e"])
def test_it_finds_nobody_by_nonsense(client: FlaskClient, bakery: Bakery, typed: str) -> None:
    answer = client.get("/office/customers", query_string={"q": typed, "show": "nonsense", "page": "-3"})
    assert answer.status_code == 200
    assert bakery.path not in answer.text


def test_it_lists_the_newest_first_in_pages_of_fifty(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        for number in range(52):
            make_card(bakery.shop, name=f"Customer {number:02}")
    first = client.get("/office/customers")
    assert "50 of 53 customers, newest first" in first.text
    assert first.text.index("Customer 51") < first.text.index("Customer 02")
    assert "Cleo Martin" not in first.text
    assert 'rel="next" href="/office/customers?page=2"' in first.text
    for page in ("2", "999999"):
        last = client.get(f"/office/customers?page={page}").text
        assert "Cleo Martin" in last
        assert "3 of 53 customers" in last
        assert 'rel="prev" href="/office/customers"' in last


def test_it_filters_by_state_and_by_what_wallets_show(client: FlaskClient, bakery: Bakery, google: GoogleFake) -> None:
    with bakery.app.app_context():
        save(bakery.cleo)
        lost = make_card(bakery.shop, name="Dora Weber")
        with transaction():
            db.session.execute(sa.update(LoyaltyCard).where(LoyaltyCard.id == lost.card_id).values(is_active=False))

    def shown(show: str) -> tuple[bool, bool]:
        page = client.get("/office/customers", query_string={"show": show}).text
        return "Cleo" in page, "Dora" in page

    assert [shown(show) for show in ("all", "active", "inactive", "behind")] == [
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    ]
    assert "Every pass shows what its card has." in client.get("/office/customers?show=behind").text
    with bakery.app.app_context():
        stamps.add(actor=bakery.shop.ben, card=bakery.cleo.ref, quantity=1, key=make_key(bakery.shop.ben))
    assert shown("behind") == (True, False)
    assert "Behind" in client.get("/office/customers?show=behind").text


def test_it_writes_nothing_that_was_searched_into_the_log(
    client: FlaskClient, bakery: Bakery, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/office/customers?q=cleo@example.org")
    assert "office.list_customers" in str([vars(record) for record in caplog.records])
    assert "cleo@" not in str([vars(record) for record in caplog.records])


def test_it_shows_a_customer_with_card_wallets_and_history(
    client: FlaskClient, bakery: Bakery, google: GoogleFake
) -> None:
    with bakery.app.app_context():
        save(bakery.cleo)
        stamps.add(actor=bakery.shop.ben, card=bakery.cleo.ref, quantity=1, key=make_key(bakery.shop.ben))
    page = client.get(bakery.path).text
    for words in ("Cleo Martin", "cleo@example.org", "+352621123456", "opening balance", "Ben", "Main Street"):
        assert words in page
    assert "The pass in Google Wallet shows 3 stamps and 0 points, the card has 4 stamps and 0 points." in page
    assert "Google was told just now." in page
    assert "Waiting to be sent, since today" in page
    assert "Apple Wallet is not set up on this platform." in page


def test_it_turns_the_pages_of_a_long_history(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        for _ in range(12):
            stamps.add(actor=bakery.shop.ben, card=bakery.cleo.ref, quantity=1, key=make_key(bakery.shop.ben))
    first, second = client.get(bakery.path).text, client.get(f"{bakery.path}?page=2").text
    assert "10 of 14 entries, newest first" in first
    assert "Card made" not in first
    assert "4 of 14 entries, newest first" in second
    assert "Card made" in second
    assert client.get(f"{bakery.path}?page=77").text.count("Card made") == second.count("Card made")


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


def test_it_sends_the_pass_again_once_per_key(client: FlaskClient, bakery: Bakery, google: GoogleFake) -> None:
    with bakery.app.app_context():
        save(bakery.cleo)
    page = client.get(bakery.path)
    assert "as the card has." in page.text
    for _ in range(2):
        assert post(client, page, f"{bakery.path}/passes").status_code == 303
    assert "The pass is being sent again." in client.get(bakery.path).text
    assert audited(bakery).count("card.resent") == 1
    with bakery.app.app_context():
        waiting = sa.select(OutboxMessage.version).where(OutboxMessage.delivered_at.is_(None))
        assert list(db.session.execute(waiting).scalars()) == [1]


def test_it_looks_again_while_a_wallet_waits(client: FlaskClient, bakery: Bakery, google: GoogleFake) -> None:
    asks = f'hx-get="{bakery.path}/wallets" hx-trigger='
    with bakery.app.app_context():
        save(bakery.cleo)
    page = client.get(bakery.path)
    assert f'{asks}"none"' in page.text
    post(client, page, f"{bakery.path}/passes")
    assert f'{asks}"every 3s"' in client.get(bakery.path).text
    panel = client.get(f"{bakery.path}/wallets", headers=HTMX).text
    assert f'{asks}"every 3s"' in panel
    assert "Waiting to be sent" in panel
    with bakery.app.app_context():
        deliver_all()
    panel = client.get(f"{bakery.path}/wallets", headers=HTMX).text
    assert f'{asks}"none"' in panel
    assert "Waiting to be sent" not in panel


def test_it_looks_now_and_then_while_sending_fails(client: FlaskClient, bakery: Bakery, google: GoogleFake) -> None:
    with bakery.app.app_context():
        save(bakery.cleo)
        google.trouble.append(Trouble(status=503))
        stamps.add(actor=bakery.shop.ben, card=bakery.cleo.ref, quantity=1, key=make_key(bakery.shop.ben))
        deliver_all()
    panel = client.get(f"{bakery.path}/wallets", headers=HTMX).text
    assert "Sending has failed so far." in panel
    assert 'hx-trigger="every 30s"' in panel


def test_it_shows_the_wallets_alone_to_their_page_only(client: FlaskClient, bakery: Bakery) -> None:
    assert client.get(f"{bakery.path}/wallets").location == bakery.path


def test_it_says_why_there_is_nothing_to_send(client: FlaskClient, bakery: Bakery, google: GoogleFake) -> None:
    with bakery.app.app_context():
        save(bakery.cleo)
    page = client.get(bakery.path)
    with bakery.app.app_context(), transaction():
        db.session.execute(sa.update(LoyaltyCard).values(google_saved_at=None, updated_at=datetime.now(UTC)))
    assert "Send the pass again" not in client.get(bakery.path).text
    answer = post(client, page, f"{bakery.path}/passes")
    assert answer.status_code == 422
    assert "No wallet holds this card, so there is nothing to send." in answer.text


def test_it_knows_no_card_of_the_shop_next_door(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    with app.app_context():
        butcher = make_shop("meat")
    stranger = app.test_client()
    enter(app, stranger, butcher)
    page = client.get(bakery.path)
    for path in (bakery.path, f"{bakery.path}/deactivate", f"/office/customers/{uuid4()}"):
        assert stranger.get(path).status_code == 404
    foreign = {**hidden(stranger.get("/office/stores")), "reason": "mine", "delta": "5", "balance": "stamps"}
    for name in ("adjustments", "deactivate", "reactivate", "link", "passes"):
        assert stranger.post(f"{bakery.path}/{name}", data=foreign).status_code == 404
    assert "Nothing fits “Cleo”." in stranger.get("/office/customers?q=Cleo").text
    assert bakery.card().stamp_count == 3
    assert "Cleo" in page.text


def test_it_asks_strangers_to_sign_in(app: Flask, bakery: Bakery) -> None:
    for path in ("/office/customers", bakery.path):
        answer = app.test_client().get(path)
        assert (answer.status_code, "/sign-in" in answer.headers["Location"]) == (303, True)


def test_it_lists_no_card_twice_where_two_were_made_at_once(bakery: Bakery) -> None:
    with bakery.app.app_context():
        for _ in range(60):
            make_card(bakery.shop)
        with transaction():
            db.session.execute(sa.update(LoyaltyCard).values(created_at=datetime(2026, 11, 20, tzinfo=UTC)))
        pages = [card_lists.list_cards(actor=bakery.shop.ada, page=page).rows for page in (1, 2)]
    ids = [row.card_id for rows in pages for row in rows]
    assert len(ids) == len(set(ids)) == 61
