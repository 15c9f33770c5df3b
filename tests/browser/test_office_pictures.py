"""A shop's own picture in a real Chromium: from a file on the desk to the customer's phone and the till."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from loyalty.services import accounts, images
from tests import axe
from tests.browser.conftest import OpenBakery
from tests.browser.entering import sign_in
from tests.office import PASSWORD
from tests.pictures import make_picture
from tests.tablet import PHONE, Tablet, open_tablet

pytestmark = pytest.mark.browser

# As dark as the card, so that it needs a plate.
DARK = "#0E4A3E"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the pictures of one test."""
    monkeypatch.setattr(images, "_folder", tmp_path / "images")
    return tmp_path / "images"


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    """A logo as a file on the desk."""
    file = tmp_path / "logo.webp"
    file.write_bytes(make_picture((900, 900), DARK, "WEBP"))
    return file


def open_office(browser: Browser, live: str, bakery: OpenBakery, *, scripts: bool = True) -> Page:
    with bakery.app.app_context():
        accounts.create_owner(vendor_id=bakery.shop.vendor_id, email="office@bakery.example", password=PASSWORD)
    context = browser.new_context(base_url=live, bypass_csp=True, java_script_enabled=scripts)
    context.set_default_timeout(60_000)
    page = context.new_page()
    sign_in(page, "/office/program", "office@bakery.example")
    expect(page.get_by_role("heading", level=1, name="Program")).to_be_visible()
    return page


@pytest.fixture
def office(till_browser: Browser, live: str, open_bakery: OpenBakery) -> Iterator[Page]:
    """Ada's office, open at the program."""
    page = open_office(till_browser, live, open_bakery)
    yield page
    page.context.close()


def leaves_nothing_to_axe(page: Page) -> None:
    assert axe.faults(page) == []


def shows_the_logo(page: Page, *, plate: bool) -> None:
    picture = page.locator(".pass-brand img")
    expect(picture).to_be_visible()
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth }") == 660
    ground = picture.evaluate("image => getComputedStyle(image).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is plate


def test_it_shows_a_new_logo_to_customers_and_staff(
    office: Page, till_browser: Browser, live: str, open_bakery: OpenBakery, logo: Path
) -> None:
    office.get_by_label("Logo (optional)").set_input_files(logo)
    shows_the_logo(office, plate=True)
    expect(office.get_by_text("so it stands on a white plate.")).to_be_visible()
    # What is typed afterwards draws the same picture again.
    office.get_by_label("Stamps for a reward").fill("6")
    expect(office.locator("#preview .stamps li")).to_have_count(6)
    shows_the_logo(office, plate=True)
    office.get_by_role("button", name="Save").click()
    expect(office.get_by_text("The program is saved.")).to_be_visible()
    shows_the_logo(office, plate=True)
    leaves_nothing_to_axe(office)

    tablet = open_tablet(till_browser, live, bypass_csp=True)
    serve(tablet, open_bakery)
    shows_the_logo(tablet.page, plate=True)
    tablet.leaves_nothing_to_axe()
    assert tablet.complaints == []
    tablet.page.context.close()

    phone = till_browser.new_context(base_url=live, viewport=PHONE, bypass_csp=True).new_page()
    phone.goto(f"/card/{open_bakery.cleo.public_token}")
    shows_the_logo(phone, plate=True)
    leaves_nothing_to_axe(phone)
    phone.context.close()


def serve(tablet: Tablet, bakery: OpenBakery) -> None:
    tablet.pair(bakery.code)
    tablet.sign_in("Ana", bakery.ana)
    tablet.sees("Scan the customer’s card")
    tablet.scan(bakery.cleo.card_number)
    expect(tablet.page.locator("#card")).to_be_visible()


def test_it_removes_the_logo(office: Page, logo: Path) -> None:
    remove = office.get_by_label("Remove the logo")
    expect(remove).to_be_hidden()
    office.get_by_label("Logo (optional)").set_input_files(logo)
    expect(remove).to_be_visible()
    office.get_by_role("button", name="Save").click()
    expect(office.get_by_role("img", name="The present picture")).to_be_visible()
    remove.check()
    expect(office.locator(".pass-brand img")).to_have_count(0)
    leaves_nothing_to_axe(office)
    office.get_by_role("button", name="Save").click()
    expect(office.get_by_role("img", name="The present picture")).to_have_count(0)
    expect(remove).to_be_hidden()


def test_it_keeps_a_file_that_is_too_large_on_the_desk(office: Page, tmp_path: Path) -> None:
    file = tmp_path / "large.png"
    file.write_bytes(bytes(4 * 1024 * 1024))
    office.get_by_label("Name of the card").fill("Typed")
    office.get_by_label("Logo (optional)").set_input_files(file)
    expect(office.get_by_role("alert").filter(has_text="more than 2 MB")).to_be_visible()
    leaves_nothing_to_axe(office)
    office.get_by_role("button", name="Save").click()
    expect(office.get_by_text("The program is saved.")).to_be_visible()
    expect(office.get_by_label("Name of the card")).to_have_value("Typed")


def test_it_says_beside_the_field_what_is_wrong(office: Page, tmp_path: Path, logo: Path) -> None:
    file = tmp_path / "logo.png"
    file.write_bytes(b"<svg/>")
    office.get_by_label("Logo (optional)").set_input_files(file)
    expect(office.locator("#preview").get_by_text("An SVG drawing can hold programs")).to_be_visible()
    office.get_by_role("button", name="Save").click()
    expect(office.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
    office.get_by_role("link", name="An SVG drawing can hold programs").click()
    expect(office.get_by_label("Logo (optional)")).to_be_focused()
    leaves_nothing_to_axe(office)
    # What was wrong with that file is not said of the next one.
    office.get_by_label("Logo (optional)").set_input_files(logo)
    expect(office.locator("#logo_file-error")).to_have_count(0)
    shows_the_logo(office, plate=True)
    leaves_nothing_to_axe(office)


def test_it_uploads_without_scripts(till_browser: Browser, live: str, open_bakery: OpenBakery, logo: Path) -> None:
    page = open_office(till_browser, live, open_bakery, scripts=False)
    page.get_by_label("Logo (optional)").set_input_files(logo)
    page.get_by_role("button", name="Update preview").click()
    expect(page.locator(".pass-brand img")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The program is saved.")).to_be_visible()
    expect(page.get_by_role("img", name="The present picture")).to_be_visible()
    page.context.close()


def test_it_leads_to_the_poster(office: Page) -> None:
    office.goto("/office")
    leaves_nothing_to_axe(office)
    expect(office.get_by_role("img", name="QR code of the address where customers join")).to_be_visible()
    office.get_by_role("link", name="Make a poster for the counter").click()
    expect(office.get_by_role("heading", level=1, name="Poster")).to_be_visible()


def test_it_gives_back_what_was_typed_when_the_session_ends(office: Page, open_bakery: OpenBakery) -> None:
    office.get_by_label("Name of the card").fill("Typed")
    other = office.context.new_page()
    other.goto("/office")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_text("You are signed out.")).to_be_visible()
    office.get_by_role("button", name="Save").click()
    leaves_nothing_to_axe(office)
    office.get_by_label("E-mail").fill("office@bakery.example")
    office.get_by_label("Password").fill(PASSWORD)
    office.get_by_role("button", name="Sign in").click()
    leaves_nothing_to_axe(office)
    office.get_by_role("button", name="Send it to").click()
    expect(office.get_by_text("The program is saved.")).to_be_visible()
    expect(office.get_by_label("Name of the card")).to_have_value("Typed")
