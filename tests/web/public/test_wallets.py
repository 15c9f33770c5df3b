"""The way from the card's page into a wallet: the right one for the device, and no button that leads nowhere."""

import gzip
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copytree

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from loyalty.services import cards, google_passes, passes
from loyalty.services.google_passes import GooglePasses
from loyalty.wallets.google_account import load_account
from loyalty.web import assets
from tests import apple_passes
from tests.applications import another_app
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.google_fake import google_server

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
BOTH = ["Add to Apple Wallet", "Add to Google Wallet"]


@pytest.fixture
def bakery(app: Flask) -> Shop:
    with app.app_context():
        return make_shop()


@pytest.fixture
def cleo(app: Flask, bakery: Shop) -> Card:
    with app.app_context():
        return make_card(bakery, stamps=3)


@pytest.fixture
def apple(app: Flask) -> Iterator[None]:
    """Apple passes are made."""
    passes.configure(apple=apple_passes.passes())
    yield
    passes.configure(apple=None)


@pytest.fixture
def google(app: Flask, tmp_path: Path) -> Iterator[None]:
    """Cards can be saved at Google."""
    with google_server() as fake:
        account = load_account(fake.account_file(tmp_path))
    public_url = "https://cards.example"
    google_passes.configure(google=GooglePasses(account=account, issuer_id=fake.issuer_id, public_url=public_url))
    yield
    google_passes.configure(google=None)


def page_for(client: FlaskClient, card: Card, browser: str, path: str = "") -> str:
    return client.get(f"/card/{card.public_token}{path}", headers={"User-Agent": browser}).text


def buttons(page: str) -> tuple[list[str], list[str]]:
    """The words of the buttons: those in the open, and those for another phone."""
    hidden = re.findall(r"<summary>Add it to another phone</summary>.*?</details>", page, re.DOTALL)
    words = re.compile(r'<a class="wallet" href="[^"]+"[^>]*>([^<]+)</a>')
    behind = words.findall("".join(hidden))
    return [name for name in words.findall(page) if name not in behind], behind


@pytest.mark.usefixtures("apple", "google")
@pytest.mark.parametrize(
    ("browser", "own", "others"),
    [
        pytest.param(IPHONE, BOTH[:1], BOTH[1:], id="iPhone"),
        pytest.param(IPAD, BOTH[:1], BOTH[1:], id="iPad"),
        pytest.param(MAC, BOTH[:1], BOTH[1:], id="Mac"),
        pytest.param(ANDROID, BOTH[1:], BOTH[:1], id="Android"),
        pytest.param(WINDOWS, BOTH, [], id="Windows"),
        pytest.param("", BOTH, [], id="nameless"),
    ],
)
def test_it_offers_the_wallet_of_the_device(
    client: FlaskClient, cleo: Card, browser: str, own: list[str], others: list[str]
) -> None:
    page = page_for(client, cleo, browser)
    assert buttons(page) == (own, others)
    # High on the page: under the code of the card, before its history.
    assert page.index('class="qr"') < page.index(own[0]) < page.index("Your last visits")
    assert buttons(page_for(client, cleo, browser, "/live?seen=")) == (own, others)


@pytest.mark.usefixtures("apple")
def test_it_keeps_the_wallet_of_another_phone_out_of_the_way(client: FlaskClient, cleo: Card) -> None:
    assert buttons(page_for(client, cleo, ANDROID)) == ([], BOTH[:1])
    assert buttons(page_for(client, cleo, IPHONE)) == (BOTH[:1], [])


@pytest.mark.usefixtures("apple", "google")
def test_it_offers_nothing_for_a_card_that_is_closed(app: Flask, client: FlaskClient, bakery: Shop, cleo: Card) -> None:
    with app.app_context():
        cards.deactivate(actor=bakery.ada, card=cleo.ref, reason="lost", key=make_key(bakery.ada))
    assert buttons(page_for(client, cleo, IPHONE)) == ([], [])


def test_it_offers_nothing_where_nothing_is_set_up(client: FlaskClient, cleo: Card) -> None:
    for browser in (IPHONE, ANDROID, WINDOWS):
        page = page_for(client, cleo, browser)
        assert buttons(page) == ([], [])
        assert "Add it to another phone" not in page


@pytest.mark.usefixtures("apple")
def test_it_offers_no_pass_once_the_certificate_has_ended(client: FlaskClient, cleo: Card) -> None:
    ends = passes.find_certificate_ends()
    assert ends is not None
    end = min(ends.leaf, ends.intermediate)
    with time_machine.travel(end - timedelta(seconds=1), tick=False):
        assert buttons(page_for(client, cleo, IPHONE))[0] == BOTH[:1]
    with time_machine.travel(end + timedelta(seconds=1), tick=False):
        assert buttons(page_for(client, cleo, IPHONE)) == ([], [])


@pytest.mark.parametrize(
    ("browser", "shown"), [(WINDOWS, True), (MAC, True), (IPHONE, False), (IPAD, False), (ANDROID, False)]
)
def test_it_shows_the_way_to_a_phone_where_there_is_none(
    client: FlaskClient, cleo: Card, browser: str, shown: bool
) -> None:
    page = page_for(client, cleo, browser)
    assert ("QR code of the address of this page" in page) is shown
    # Open on the first visit: on a desk, the phone is the next step.
    assert ("<details open>" in page_for(client, cleo, browser, "?new=1")) is shown


@pytest.fixture
def with_badges(config: Config, cleo: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """A platform whose operator may put files into `static/wallet`, started anew."""
    root = tmp_path / "static"
    copytree(assets.ROOT, root)
    folder = root / "wallet"
    folder.mkdir(exist_ok=True)
    for name in ("apple-en", "apple-fr", "google", "google-de"):
        (folder / f"{name}.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><title>{name}</title></svg>')
    monkeypatch.setattr(assets, "ROOT", root)
    with another_app(config, config) as app:
        passes.configure(apple=apple_passes.passes())
        with google_server() as fake:
            account = load_account(fake.account_file(tmp_path))
        google = GooglePasses(account=account, issuer_id=fake.issuer_id, public_url="https://cards.example")
        google_passes.configure(google=google)
        yield app.test_client()


@pytest.mark.parametrize(
    ("lang", "apple", "google"),
    [
        ("en", "apple-en", "google"),
        ("fr", "apple-fr", "google"),
        ("de", None, "google-de"),
        # No maker has a button in Luxembourgish: the French one stands in for it.
        ("lb", "apple-fr", "google"),
    ],
)
def test_it_shows_the_official_buttons_where_the_operator_has_put_them(
    with_badges: FlaskClient, cleo: Card, lang: str, apple: str | None, google: str
) -> None:
    page = with_badges.get(f"/card/{cleo.public_token}?lang={lang}", headers={"User-Agent": WINDOWS}).text
    pictures = re.findall(r'<a class="wallet-picture" href="[^"]+"[^>]*><img src="([^"]+)" alt="([^"]+)"', page)
    expected = [f"{name}.svg" for name in (apple, google) if name]
    assert [address.rpartition("/")[2] for address, _ in pictures] == expected
    assert page.count('<a class="wallet" ') == 2 - len(pictures)
    for address, words in pictures:
        assert "Wallet" in words
        file = with_badges.get(address)
        assert (file.status_code, file.content_type) == (200, "image/svg+xml")


@pytest.mark.usefixtures("apple", "google")
@pytest.mark.parametrize("browser", [pytest.param(IPHONE, id="iPhone"), pytest.param(WINDOWS, id="Windows")])
def test_it_stays_a_light_page(client: FlaskClient, cleo: Card, browser: str) -> None:
    page = page_for(client, cleo, browser, "?new=1")
    parts = re.findall(r'(?:href|src)="(/(?:static/|theme)[^"]+)"', page)
    files = [client.get(address.replace("&amp;", "&")).data for address in parts]
    assert len(files) <= 5
    assert sum(len(gzip.compress(file)) for file in (page.encode(), *files)) <= 40_000
    fresh = client.get(f"/card/{cleo.public_token}/live?seen=", headers={"User-Agent": browser, "HX-Request": "true"})
    assert len(gzip.compress(fresh.data)) <= 2_000
