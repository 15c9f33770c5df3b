"""A customer's own data from the card page: proven by mail, seen, taken along, corrected, deleted in a week or now."""

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from loyalty.database import clock, db, transaction
from loyalty.models.consents import Consent
from loyalty.models.customers import Customer
from loyalty.models.mail import Confirmation, EmailLog
from loyalty.services import links, merging
from tests import privacy_life
from tests.factories import Card, Shop, change_program, make_card, make_key, make_shop
from tests.web.public.conftest import Phone


@pytest.fixture
def cleo(bakery: Shop, app: Flask) -> Card:
    """Cleo's card, with three stamps."""
    with app.app_context():
        return make_card(bakery, stamps=3, email="cleo@example.org", phone="+352621123456", name="Cleo Martin")


def post(phone: Phone, page: TestResponse, ending: str, **fields: str) -> TestResponse:
    """Send the form of a page whose address ends so."""
    html = page.get_data(as_text=True)
    form = re.search(rf'<form[^>]* action="([^"]+{ending})".*?</form>', html, re.DOTALL)
    assert form, html
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form.group(0)))
    return phone.browser.post(form.group(1), data={**hidden, **fields})


def path(card: Card, more: str = "") -> str:
    return f"/card/{card.public_token}/my-data{more}"


def ask(phone: Phone, card: Card) -> TestResponse:
    return phone.send(phone.get(path(card)))


def mailed(app: Flask, card: Card) -> str:
    """The path of the newest mailed link."""
    with app.app_context():
        newest = sa.select(Confirmation.id).where(Confirmation.kind == "my_data").order_by(Confirmation.id.desc())
        confirmation_id = db.session.scalars(newest.limit(1)).one()
        return "/" + links.my_data(card.public_token, confirmation_id).split("/", 3)[3]


def prove(phone: Phone, app: Flask, card: Card) -> TestResponse:
    """Go the whole way from the card to one's data."""
    ask(phone, card)
    done = phone.send(phone.get(mailed(app, card)))
    assert done.status_code == 303
    return phone.get(path(card))


def read(app: Flask, card: Card) -> Customer:
    with app.app_context(), transaction():
        customer = db.session.get_one(Customer, card.customer_id)
        db.session.expunge(customer)
        return customer


def mails(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        rows = db.session.execute(sa.select(EmailLog.kind, EmailLog.recipient).order_by(EmailLog.created_at))
        return [(row.kind, row.recipient) for row in rows]


def test_it_shows_no_word_before_the_address_is_proven(phone: Phone, cleo: Card) -> None:
    assert path(cleo) in phone.get(f"/card/{cleo.public_token}").text
    page = phone.get(path(cleo))
    assert page.status_code == 200
    for word in ("cleo@", "Martin", "621"):
        assert word not in page.text
    assert phone.get(path(cleo, "/erasure")).status_code == 404
    assert phone.get("/card/nothing/my-data").status_code == 404


def test_it_mails_a_link_to_the_address_on_file_three_times_a_day(phone: Phone, app: Flask, cleo: Card) -> None:
    answers = {ask(phone, cleo).location for _ in range(5)}
    assert answers == {path(cleo, "/sent")}
    assert mails(app) == [("confirm_my_data", "cleo@example.org")] * 3
    assert "Look at your mail" in phone.get(path(cleo, "/sent")).text


def test_it_mails_once_for_a_double_tap(phone: Phone, app: Flask, cleo: Card) -> None:
    page = phone.get(path(cleo))
    assert phone.send(page).location == phone.send(page).location
    assert len(mails(app)) == 1


def test_it_sends_a_customer_without_mail_to_the_counter(phone: Phone, app: Flask, bakery: Shop) -> None:
    with app.app_context():
        card = make_card(bakery, email=None, phone="+352621123457")
    page = phone.get(path(card))
    assert "Ask at the counter" in page.text
    assert "Send me the link" not in page.text


def test_it_opens_the_data_once_and_for_this_browser_alone(phone: Phone, app: Flask, cleo: Card) -> None:
    ask(phone, cleo)
    address = mailed(app, cleo)
    for _ in range(3):
        page = phone.get(address)
        assert page.status_code == 200
        assert "cleo@" not in page.text
    first, second = phone.send(page), phone.send(page)
    assert first.location == second.location == path(cleo)
    shown = phone.get(path(cleo)).text
    assert "cleo@example.org" in shown
    assert "Cleo Martin" in shown
    assert phone.get(address).status_code == 404
    stranger = Phone(app.test_client())
    assert "cleo@" not in stranger.get(path(cleo)).text


def test_it_refuses_a_link_at_somebody_elses_card(phone: Phone, app: Flask, bakery: Shop, cleo: Card) -> None:
    with app.app_context():
        dora = make_card(bakery, email="dora@example.org", name="Dora")
    ask(phone, cleo)
    proof = mailed(app, cleo).rpartition("/")[2]
    assert phone.get(path(dora, f"/{proof}")).status_code == 404
    prove(phone, app, cleo)
    assert "dora@" not in phone.get(path(dora)).text


def test_it_refuses_a_link_once_the_address_has_changed(phone: Phone, app: Flask, cleo: Card) -> None:
    ask(phone, cleo)
    with app.app_context(), transaction():
        db.session.get_one(Customer, cleo.customer_id).email = "new@example.org"
    assert phone.get(mailed(app, cleo)).status_code == 404


def test_it_closes_the_data_after_an_hour(phone: Phone, app: Flask, cleo: Card) -> None:
    page = prove(phone, app, cleo)
    with app.app_context(), transaction():
        db.session.execute(sa.update(Confirmation).values(used_at=clock() - timedelta(minutes=61)))
    refused = post(phone, page, "/export")
    assert refused.status_code == 404
    assert "Have another link sent" in refused.text
    assert "cleo@" not in phone.get(path(cleo)).text


def test_it_hands_out_a_copy(phone: Phone, app: Flask, cleo: Card) -> None:
    file = post(phone, prove(phone, app, cleo), "/export")
    assert (file.status_code, file.mimetype) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        data = json.loads(archive.read("data.json"))["data"]
    assert data["customers"][0]["email"] == "cleo@example.org"
    with app.app_context():
        (event,) = privacy_life.audited("customer.exported")
        assert (event.user_id, event.subject_id) == (None, str(cleo.customer_id))


TYPED = {"name": "Cleo Muller", "birth_date": "1990-03-24", "locale": "fr", "marketing_consent": "y"}


def test_it_saves_corrections_and_notes_the_consent(phone: Phone, app: Flask, cleo: Card) -> None:
    page = prove(phone, app, cleo)
    first = post(phone, page, "/corrections", **TYPED)
    assert post(phone, page, "/corrections", **TYPED).location == first.location == path(cleo)
    customer = read(app, cleo)
    assert (customer.name, str(customer.birth_date), customer.locale) == ("Cleo Muller", "1990-03-24", "fr")
    assert customer.marketing_consent
    with app.app_context():
        said = db.session.execute(sa.select(Consent.kind, Consent.given, Consent.source)).all()
        assert [tuple(row) for row in said] == [("marketing", True, "my_data")]
        (event,) = privacy_life.audited("customer.corrected")
        assert event.details == {"changed": ["birth_date", "locale", "name", "marketing_consent"]}


def test_it_keeps_what_was_typed_beside_what_is_wrong(phone: Phone, app: Flask, cleo: Card) -> None:
    page = prove(phone, app, cleo)
    wrong = post(phone, page, "/corrections", **{**TYPED, "name": "x" * 200, "birth_date": "1790-01-01"})
    assert wrong.status_code == 422
    assert "Enter a shorter name" in wrong.text
    assert "Enter your day of birth" in wrong.text
    assert 'value="1790-01-01"' in wrong.text
    assert read(app, cleo).name == "Cleo Martin"


def test_it_finds_nothing_wrong_with_an_empty_birthday(phone: Phone, app: Flask, cleo: Card) -> None:
    page = prove(phone, app, cleo)
    wrong = post(phone, page, "/corrections", **{**TYPED, "name": "x" * 200, "birth_date": ""})
    assert "Enter a shorter name" in wrong.text
    assert "Enter your day of birth" not in wrong.text


def test_it_has_changed_terms_accepted_anew(phone: Phone, app: Flask, bakery: Shop) -> None:
    phone.send(phone.get("/join/bakery"), email="dora@example.org")
    with app.app_context():
        change_program(bakery, terms_text="Be kind.")
        row = db.session.execute(sa.text("SELECT id, customer_id, public_token FROM loyalty_cards")).one()
    dora = Card(row.id, row.customer_id, "", "", row.public_token)
    page = prove(phone, app, dora)
    assert "They have changed since you accepted them." in page.text
    post(phone, page, "/corrections", locale="en", accept_terms="y")
    assert "They have changed" not in phone.get(path(dora)).text
    with app.app_context():
        versions = db.session.scalars(sa.select(Consent.version).order_by(Consent.created_at)).all()
        texts = db.session.execute(sa.text("SELECT terms_text FROM terms_versions ORDER BY created_at")).scalars().all()
    assert len(set(versions)) == 2
    assert texts == ["", "Be kind."]


def test_it_deletes_in_a_week_and_is_called_off_on_the_card(phone: Phone, app: Flask, cleo: Card) -> None:
    prove(phone, app, cleo)
    done = phone.send(phone.get(path(cleo, "/erasure")), when="later")
    assert done.location == f"/card/{cleo.public_token}"
    customer = read(app, cleo)
    assert customer.erase_at
    assert customer.erase_asked_at
    assert customer.erase_at - customer.erase_asked_at == timedelta(days=7)
    phone = Phone(app.test_client())
    card = phone.get(done.location)
    assert "are deleted on" in card.text
    kept = post(phone, card, "/keep")
    assert kept.location == done.location
    assert read(app, cleo).erase_at is None
    page = phone.get(done.location)
    assert "Your card stays" in page.text
    assert "are deleted on" not in page.text
    with app.app_context():
        assert len(privacy_life.audited("customer.erasure_scheduled")) == 1
        assert len(privacy_life.audited("customer.erasure_called_off")) == 1


def test_it_deletes_at_once_where_somebody_insists(phone: Phone, app: Flask, cleo: Card) -> None:
    prove(phone, app, cleo)
    page = phone.get(path(cleo, "/erasure"))
    first, second = (phone.send(page, when="now") for _ in range(2))
    assert first.location == second.location == "/my-data/erased"
    assert "Everything is deleted" in phone.get(first.location).text
    customer = read(app, cleo)
    assert customer.erased_at
    assert (customer.email, customer.name, customer.erase_at) == (None, None, None)
    assert phone.get(path(cleo)).status_code == 404


def test_it_says_that_a_card_brought_together_with_this_one_ends_too(
    phone: Phone, app: Flask, bakery: Shop, cleo: Card
) -> None:
    prove(phone, app, cleo)
    assert "Your other card" not in phone.get(path(cleo, "/erasure")).text
    with app.app_context():
        twin, key = make_card(bakery, name="Cleo Martin"), make_key(bakery.ada)
        merging.merge(actor=bakery.ada, into_id=cleo.card_id, from_id=twin.card_id, reason="One person", key=key)
    page = phone.get(path(cleo, "/erasure"))
    assert "Your other card of this shop, which was brought together with this one," in page.text
    phone.send(page, when="now")
    assert read(app, twin).erased_at


@pytest.mark.parametrize("ending", ["/corrections", "/export", "/erasure"])
def test_it_does_nothing_for_whoever_only_holds_the_card(phone: Phone, app: Flask, cleo: Card, ending: str) -> None:
    for when in ("later", "now"):
        page = phone.get(path(cleo))
        key = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
        answer = phone.browser.post(path(cleo, ending), data={**dict(key), "when": when, "locale": "en"})
        assert answer.status_code == 404
    assert read(app, cleo).erase_at is None


def test_it_says_how_the_shop_keeps_data(phone: Phone, app: Flask) -> None:
    with app.app_context():
        make_shop(vendor={"name": "Ada's Bakery", "privacy_contact": "Ada Baker\nada@bakery.example"})
    assert "/join/bakery/privacy" in phone.get("/join/bakery").text
    page = phone.get("/join/bakery/privacy")
    assert page.status_code == 200
    assert "ada@bakery.example" in page.text
    assert "24 months" in page.text
    assert phone.get("/join/nobody/privacy").status_code == 404
