"""One picture of every surface for docs/: the same screen in each language, side by side."""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from loyalty.web.locale import LANGUAGES

GAP, PAPER = 16, (196, 202, 210)
# So many colours show every page as it is, and keep the file small.
COLOURS = 96
Shop = dict[str, str]
Show = Callable[[str], object]


def public(page: Page, address: str, shop: Shop, folder: Path) -> None:
    """Take the card and the page to join, on a phone."""
    for name, path in (("card", shop["card_url"]), ("join", f"{address}/join/{shop['vendor_code']}")):
        _side_by_side(page, folder / f"languages-{name}.png", partial(_open, page, path))


def till(page: Page, address: str, shop: Shop, folder: Path) -> None:
    """Take the card of a customer at a tablet where somebody is signed in."""

    def show(language: str) -> None:
        _open(page, f"{address}/terminal", language)
        page.keyboard.type(f"{shop['card_number']}\n")
        expect(page.locator("#card")).to_be_visible()

    _side_by_side(page, folder / "languages-till.png", show, columns=2)
    _open(page, f"{address}/terminal", "en")


def office(page: Page, address: str, folder: Path) -> None:
    """Take the list of customers, and what the mail to a birthday looks like."""
    _wide(page, f"{address}/office/customers", folder / "languages-office.png")
    frame = page.locator("iframe")

    def show(language: str) -> None:
        _open(page, f"{address}/office/mails/birthday/{language}", language)
        expect(page.frame_locator("iframe").locator("p").first).to_be_visible()

    _side_by_side(page, folder / "languages-mail.png", show, take=lambda: frame.screenshot(animations="disabled"))
    _open(page, f"{address}/office", "en")


def platform(page: Page, address: str, folder: Path) -> None:
    """Take the health of everything."""
    _wide(page, f"{address}/admin/health", folder / "languages-admin.png")
    _open(page, f"{address}/admin", "en")


def _wide(page: Page, address: str, path: Path) -> None:
    _side_by_side(page, path, partial(_open, page, address), columns=2)


def _open(page: Page, address: str, language: str) -> None:
    page.goto(f"{address}?lang={language}")


def _side_by_side(
    page: Page, path: Path, show: Show, *, columns: int = 4, take: Callable[[], bytes] | None = None
) -> None:
    pictures = []
    for language in LANGUAGES:
        show(language)
        page.mouse.move(0, 0)
        drawn = take() if take else page.screenshot(animations="disabled")
        pictures.append(Image.open(BytesIO(drawn)).convert("RGB"))
    _sheet(pictures, columns).quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def _sheet(pictures: list[Image.Image], columns: int) -> Image.Image:
    """Lay pictures of one width in rows, half or three quarters as large."""
    scale = 0.75 if columns > 2 else 0.6
    small = [each.resize((round(each.width * scale), round(each.height * scale))) for each in pictures]
    width, height = small[0].width, max(each.height for each in small)
    rows = -(-len(small) // columns)
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, rows * (height + GAP) - GAP), PAPER)
    for number, each in enumerate(small):
        sheet.paste(each, (number % columns * (width + GAP), number // columns * (height + GAP)))
    return sheet
