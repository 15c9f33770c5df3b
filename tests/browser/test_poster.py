"""The poster on paper: one page of the right size, and a code that a camera reads."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import pypdfium2  # type: ignore[import-untyped] # publishes no types
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from loyalty.services import accounts
from tests import axe
from tests.browser.conftest import OpenBakery
from tests.browser.entering import sign_in
from tests.browser.test_office import DESK, PHONE, Scheme
from tests.factories import change_program
from tests.office import PASSWORD

pytestmark = pytest.mark.browser

POINTS_PER_MM = 72 / 25.4
PIXELS_PER_MM = 96 / 25.4
# The paper in millimetres, and how many codes are on it, each how wide at least.
PAPER = {"a4": (210, 297, 1, 112), "a5": (148, 210, 1, 80), "a6": (105, 148, 1, 55), "tent": (210, 297, 2, 80)}
DECODE = """async ([reader, picture]) => {
  const { default: decodeQR } = await import(reader);
  const image = new Image();
  image.src = picture;
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height));
}"""


@pytest.fixture
def office(till_browser: Browser, live: str, open_bakery: OpenBakery) -> Iterator[Page]:
    """Ada's office, open at the poster."""
    with open_bakery.app.app_context():
        accounts.create_owner(vendor_id=open_bakery.shop.vendor_id, email="office@bakery.example", password=PASSWORD)
    context = till_browser.new_context(base_url=live, viewport=DESK, bypass_csp=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    sign_in(page, "/office/poster", "office@bakery.example")
    expect(page.get_by_role("heading", level=1, name="Poster")).to_be_visible()
    # The script that opens the printer comes last.
    page.wait_for_load_state()
    yield page
    context.close()


def open_poster(page: Page, **query: str) -> None:
    address = "&".join(f"{name}={value}" for name, value in query.items())
    answer = page.goto(f"/office/poster?{address}")
    assert answer is not None
    assert answer.status == 200


def print_pages(page: Page) -> list[Any]:  # pypdfium2 publishes no types
    return list(pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True, print_background=True)))


def decode(page: Page, picture: Any) -> str:  # a picture of Pillow's
    """Read the code in a picture with the reader that tablets without WebAssembly use."""
    folder = page.locator("link[href$='/poster.css']").get_attribute("href") or ""
    reader = folder.replace("poster.css", "vendor/qr/decode.js")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    address = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return str(page.evaluate(DECODE, [reader, address]))


def codes(page: Page, kind: str) -> list[str]:
    """Print the poster and read what stands in each of its codes; of a tent one side after the other."""
    pages = print_pages(page)
    width, height, sides, _ = PAPER[kind]
    assert [[round(side / POINTS_PER_MM) for side in each.get_size()] for each in pages] == [[width, height]]
    sheet = pages[0].render(scale=2).to_pil().convert("RGB")
    part = sheet.height // sides
    return [decode(page, sheet.crop((0, top, sheet.width, top + part))) for top in range(0, part * sides, part)]


def measure(page: Page) -> dict[str, Any]:  # numbers and lists of them
    """Measure on paper, in millimetres: the codes without their quiet zone, the address, and what does not fit."""
    page.emulate_media(media="print")
    found: dict[str, Any] = page.evaluate("""() => {
      const svgs = [...document.querySelectorAll(".to-scan svg")];
      const faces = [...document.querySelectorAll(".face")];
      return {
        codes: svgs.map((svg) => svg.clientWidth * (svg.viewBox.baseVal.width - 8) / svg.viewBox.baseVal.width),
        letters: parseFloat(getComputedStyle(document.querySelector("figcaption")).fontSize),
        tooLarge: [...faces, document.querySelector(".sheet")].filter(
          (box) => box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1).length,
        seen: document.body.innerText,
      };
    }""")
    page.emulate_media(media="null")
    return found


@pytest.mark.parametrize(("languages", "ink"), [(("en", ""), "colour"), (("fr", "de"), "saving")], ids=["one", "two"])
def test_it_prints_one_page_whose_code_leads_to_the_store(
    office: Page, live: str, languages: tuple[str, str], ink: str
) -> None:
    for kind, (*_, sides, least) in PAPER.items():
        open_poster(office, format=kind, language=languages[0], second=languages[1], store="main", ink=ink)
        found = measure(office)
        assert [width / PIXELS_PER_MM >= least for width in found["codes"]] == [True] * sides, kind
        assert found["letters"] * 72 / 96 >= 14, kind
        assert found["tooLarge"] == 0, kind
        assert "Print" not in found["seen"]
        assert codes(office, kind) == [f"{live}/join/bakery?store=main"] * sides


def test_it_finds_room_for_long_words(office: Page, open_bakery: OpenBakery, live: str) -> None:
    reward = "1 piece of homemade Schwarzwälderkirschtorte, with a large coffee or a hot chocolate, "
    reward += "on any weekday you like best !!!!!"
    assert len(reward) == 120
    with open_bakery.app.app_context():
        change_program(open_bakery.shop, stamps_reward_description=reward, stamps_target=100)
    for kind in PAPER:
        open_poster(office, format=kind, language="fr", second="de", store="main", ink="colour")
        assert measure(office)["tooLarge"] == 0, kind
        assert codes(office, kind)[0] == f"{live}/join/bakery?store=main"


@pytest.mark.parametrize(
    ("size", "scheme"),
    [(DESK, "light"), (PHONE, "dark"), ({"width": 320, "height": 700}, "light")],
    ids=["desk", "phone", "narrow"],
)
def test_it_shows_the_sheet_on_every_screen(office: Page, size: ViewportSize, scheme: Scheme) -> None:
    office.set_viewport_size(size)
    office.emulate_media(color_scheme=scheme)
    office.get_by_label("Table tent (A4, folded)").check()
    office.get_by_label("Second language").select_option("Deutsch")
    office.get_by_label("Save ink").check()
    office.get_by_role("button", name="Show").click()
    sheet = office.get_by_role("article", name="Poster")
    expect(sheet.get_by_role("img", name="QR code of the address where customers join")).to_have_count(2)
    expect(office.get_by_label("Second language")).to_have_value("de")
    assert office.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe.faults(office) == []


def test_it_opens_the_printer(office: Page) -> None:
    office.evaluate("window.print = () => { window.printed = true }")
    office.get_by_role("button", name="Print").click()
    assert office.evaluate("window.printed")
