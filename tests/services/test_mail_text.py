"""The words of mails: the ways into the wallets stand in them where they lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from config import Config
from loyalty.domain.mails import RenderedMail
from loyalty.services import cards, google_passes, passes
from loyalty.services.google_passes import GooglePasses
from loyalty.wallets.google_account import load_account
from tests import apple_passes
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.google_fake import google_server
from tests.mails import make_mail, only_mail, render_mail

pytestmark = pytest.mark.usefixtures("context")

WITH_WALLETS = ("enrollment", "card_link")


@pytest.fixture
def apple() -> Iterator[None]:
    """Apple passes are made."""
    passes.configure(apple=apple_passes.passes())
    yield
    passes.configure(apple=None)


@pytest.fixture
def google(tmp_path: Path) -> Iterator[None]:
    """Cards can be saved at Google."""
    with google_server() as fake:
        account = load_account(fake.account_file(tmp_path))
    public_url = "https://cards.example"
    google_passes.configure(google=GooglePasses(account=account, issuer_id=fake.issuer_id, public_url=public_url))
    yield
    google_passes.configure(google=None)


@pytest.fixture
def bakery() -> Shop:
    return make_shop()


@pytest.fixture
def cleo(bakery: Shop) -> Card:
    return make_card(bakery)


def written(bakery: Shop, cleo: Card, kind: str) -> RenderedMail:
    make_mail(bakery, cleo, kind=kind)
    return render_mail(only_mail().id)


def addresses(mail: RenderedMail) -> tuple[list[str], list[str]]:
    """What can be opened from the text, and from the HTML."""
    links = re.findall(r'href="([^"]+)"', mail.html)
    return re.findall(r"https?://\S+", mail.text), [link.replace("&amp;", "&") for link in links]


@pytest.mark.usefixtures("apple", "google")
@pytest.mark.parametrize("kind", WITH_WALLETS)
def test_it_leads_into_both_wallets(config: Config, app: Flask, bakery: Shop, cleo: Card, kind: str) -> None:
    mail = written(bakery, cleo, kind)
    page = f"{config.public_url}/card/{cleo.public_token}"
    pass_address = passes.find_apple_link(public_token=cleo.public_token) or ""
    assert pass_address.startswith(f"{config.public_url}/")
    assert addresses(mail) == ([page, pass_address, f"{page}/google"],) * 2
    # Every one of them is answered by this site.
    for address in (page, pass_address):
        assert app.test_client().get(address).status_code == 200
    assert app.test_client().get(f"{page}/google").status_code in (200, 303)


@pytest.mark.parametrize("kind", WITH_WALLETS)
def test_it_says_nothing_of_wallets_where_there_are_none(config: Config, bakery: Shop, cleo: Card, kind: str) -> None:
    mail = written(bakery, cleo, kind)
    assert addresses(mail) == ([f"{config.public_url}/card/{cleo.public_token}"],) * 2
    assert "allet" not in mail.text + mail.html
    assert "\n\n\n" not in mail.text


@pytest.mark.usefixtures("google")
@pytest.mark.parametrize("kind", WITH_WALLETS)
def test_it_leads_into_the_one_wallet_that_there_is(bakery: Shop, cleo: Card, kind: str) -> None:
    mail = written(bakery, cleo, kind)
    assert "Google Wallet" in mail.text
    assert "Apple" not in mail.text + mail.html
    assert "\n\n\n" not in mail.text


@pytest.mark.usefixtures("apple", "google")
def test_it_offers_no_wallet_for_a_card_that_is_closed(bakery: Shop, cleo: Card) -> None:
    cards.deactivate(actor=bakery.ada, card=cleo.ref, reason="lost", key=make_key(bakery.ada))
    mail = written(bakery, cleo, "card_link")
    assert "allet" not in mail.text + mail.html


@pytest.mark.usefixtures("apple", "google")
def test_it_offers_no_wallet_before_there_is_a_card(bakery: Shop) -> None:
    # A mail that asks somebody to confirm has no card yet.
    make_mail(bakery, kind="confirm_join")
    mail = render_mail(only_mail().id)
    assert "allet" not in mail.text + mail.html
