"""The poster in the office: what may be chosen, and what stands on it."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from loyalty.database import db, transaction
from loyalty.domain.values import Role
from loyalty.models.programs import Reward
from loyalty.services import accounts
from loyalty.wallets.qr import poster_svg
from tests.browsing import sign_in
from tests.factories import Shop, change_policy, change_program, make_reward, make_shop, make_store
from tests.office import PASSWORD, Office


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Shop:
    with app.app_context():
        shop = make_shop(stamps_reward_description="1 <Café>", card_color="#0E5A4A")
        accounts.create_owner(
            vendor_id=shop.vendor_id, email="ada@office.example", password=PASSWORD, role=Role.MANAGER
        )
    sign_in(client, Office(shop.vendor_id, shop.store_id, shop.code, "ada@office.example", shop.ada))
    return shop


def faces(page: str) -> str:
    return page[page.index("<article") : page.index("</article>")]


def test_it_shows_the_deal_the_code_and_the_way(client: FlaskClient, bakery: Shop, config: Config) -> None:
    page = client.get("/office/poster").text
    sheet = faces(page)
    assert 'class="sheet a5 in-colour"' in page
    assert "/poster-a5.css" in page
    assert "/theme.css?c=0E5A4A" in page
    assert "Collect 10 stamps, get: 1 &lt;Café&gt;" in sheet
    assert str(poster_svg(f"{config.public_url}/join/bakery?store=main")) in sheet
    assert f"<figcaption>{config.public_url.removeprefix('http://')}/join/bakery</figcaption>" in sheet
    assert sheet.count("<li>") == 3
    assert "Enter your e-mail address" in sheet
    assert "style=" not in page


@pytest.mark.parametrize("kind", ["a4", "a5", "a6", "tent"])
def test_it_takes_the_sheet_of_the_paper(client: FlaskClient, bakery: Shop, kind: str) -> None:
    page = client.get(f"/office/poster?format={kind}&ink=saving").text
    assert f'class="sheet {kind}"' in page
    assert f"/poster-{kind}.css" in page
    assert faces(page).count("<section") == (2 if kind == "tent" else 1)


def test_it_speaks_two_languages_side_by_side(client: FlaskClient, bakery: Shop) -> None:
    page = client.get("/office/poster?language=fr&second=de").text
    sheet = faces(page)
    assert '<section class="face two">' in sheet
    assert sheet.index('lang="fr"') < sheet.index('lang="de"')
    assert "Collectez 10 tampons" in sheet
    assert "10 Stempel sammeln" in sheet
    # The office itself goes on in its own language.
    assert '<html lang="en"' in page
    assert "Second language" in page
    assert '<section class="face">' in client.get("/office/poster?language=fr&second=fr").text


def test_it_speaks_one_language_on_each_side_of_a_tent(client: FlaskClient, bakery: Shop) -> None:
    back, front = faces(client.get("/office/poster?format=tent&language=fr&second=de").text).split("</section>")[:2]
    assert 'lang="de"' in back
    assert 'lang="fr"' not in back
    assert 'lang="fr"' in front


def test_it_names_the_store(app: Flask, client: FlaskClient, bakery: Shop, config: Config) -> None:
    with app.app_context():
        make_store(bakery)
        make_store(bakery, "closed", active=False)
    sheet = faces(client.get("/office/poster?store=station").text)
    assert str(poster_svg(f"{config.public_url}/join/bakery?store=station")) in sheet
    assert str(poster_svg(f"{config.public_url}/join/bakery")) in faces(client.get("/office/poster?store=").text)
    assert client.get("/office/poster?store=closed").status_code == 422


def test_it_says_what_points_buy_in_the_shops_own_words(app: Flask, client: FlaskClient, bakery: Shop) -> None:
    with app.app_context():
        change_program(bakery, loyalty_type="points")
    assert "Collect points with every purchase" in client.get("/office/poster").text
    with app.app_context():
        make_reward(bakery, "Dear cake", 500)
        cheap = make_reward(bakery, "Roll", 50)
        with transaction():
            row = db.session.query(Reward).filter_by(public_id=cheap).one()
            row.translations = {"de": {"name": "Brötchen"}}
    sheet = faces(client.get("/office/poster?language=en&second=de").text)
    assert "Collect points, get: Roll" in sheet
    assert "Brötchen" in sheet


def test_it_asks_for_what_the_shop_asks_for(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        shop = make_shop("kiosk", vendor={"contact_field": "phone"})
        accounts.create_owner(vendor_id=shop.vendor_id, email="office@kiosk.example", password=PASSWORD)
    sign_in(client, Office(shop.vendor_id, shop.store_id, shop.code, "office@kiosk.example", shop.ada))
    assert "Enter your mobile number" in faces(client.get("/office/poster").text)


@pytest.mark.parametrize(
    "query", ["format=a7", "language=xx", "second=xx", "store=nowhere", "ink=gold", "format=../../x", "language="]
)
def test_it_draws_no_poster_of_what_is_no_choice(client: FlaskClient, bakery: Shop, query: str) -> None:
    answer = client.get(f"/office/poster?{query}")
    assert answer.status_code == 422
    assert "Choose one of the list." in answer.text
    assert "<article" not in answer.text


def test_it_warns_of_a_poster_that_leads_nowhere(app: Flask, client: FlaskClient, bakery: Shop) -> None:
    with app.app_context():
        change_policy(bakery, allow_self_enrollment=False)
    assert "Customers cannot join by themselves" in client.get("/office/poster").text
    with app.app_context():
        change_program(bakery, is_active=False)
    assert "Customers can join as soon as the program is open." in client.get("/office/poster").text


def test_it_is_not_for_strangers(app: Flask, bakery: Shop) -> None:
    assert app.test_client().get("/office/poster").status_code == 303
