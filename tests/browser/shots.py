"""The screenshots of docs/: starts the product as a newcomer would, walks through it, and takes its pictures."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from playwright.sync_api import Browser, Page, expect, sync_playwright

from config import ROOT
from tests.browser import shots_languages
from tests.chromium import executable

FOLDER = ROOT / "docs" / "screenshots"
TABLET, PHONE, DESK = (1180, 820), (390, 844), (1440, 900)
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
Shop = dict[str, str]


def main() -> None:
    """Take every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="loyalty-shots-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with running(Path(folder)) as (address, shop), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable(playwright), args=ARGS)
            _public(browser, address, shop)
            _terminal(browser, address, shop)
            _office(browser, address, shop)
            _wizard(browser, address, shop)
            _platform(browser, address, shop)
            browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER.relative_to(ROOT)}")


@contextmanager
def running(data: Path) -> Iterator[tuple[str, Shop]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "DATA_DIR": str(data / "data"), "PORT": str(port)}
    env.pop("DATABASE_URL", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "loyalty.serve"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        _await(cast("IO[str]", process.stdout))
        yield f"http://localhost:{port}", _furnish(data / "data" / "demo.json", env)
    finally:
        # Where Ctrl-C is ignored, as below nohup, this is not.
        process.terminate()
        process.wait(30)


def _await(output: IO[str]) -> None:
    for line in output:
        if line.startswith("Running at"):
            return
    raise SystemExit("The product did not start.")


def _furnish(path: Path, env: dict[str, str]) -> Shop:
    """Fill the lists and figures of the demo, and open a second shop whose owner begins."""
    _flask(env, "demo", "--size", "120")
    _flask(env, "stats", "rebuild")
    made = _flask(env, "vendor", "create", "cafe", "Café Lumière", "lou@cafe.example.com")
    shop: Shop = json.loads(path.read_text(encoding="utf-8"))
    return shop | {"new_owner_email": "lou@cafe.example.com", "new_owner_password": made.split()[-1]}


def _flask(env: dict[str, str], *command: str) -> str:
    run = [sys.executable, "-m", "flask", "--app", "wsgi", *command]
    return subprocess.run(run, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


def _page(browser: Browser, size: tuple[int, int], *, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale="en-GB",
        reduced_motion="reduce",
    )
    return context.new_page()


def _take(page: Page, name: str, *, whole: bool = False) -> None:
    page.mouse.move(0, 0)
    page.screenshot(path=FOLDER / f"{name}.png", full_page=whole, animations="disabled")


def _public(browser: Browser, address: str, shop: Shop) -> None:
    page = _page(browser, PHONE)
    page.goto(f"{address}/join/{shop['vendor_code']}")
    _take(page, "join")
    page.goto(shop["card_url"])
    _take(page, "card")
    dark = _page(browser, PHONE, dark=True)
    dark.goto(shop["card_url"])
    _take(dark, "card-dark")
    shots_languages.public(page, address, shop, FOLDER)


def _terminal(browser: Browser, address: str, shop: Shop) -> None:
    page = _page(browser, TABLET)
    page.goto(f"{address}/terminal")
    page.get_by_label("Pairing code").fill(shop["terminal_pairing_code"])
    page.get_by_role("button", name="Pair").click()
    page.get_by_label("Ben").check()
    _take(page, "terminal-pin")
    page.get_by_label("Your PIN").fill(shop["staff_pin"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Scan the customer’s card")).to_be_visible()
    _take(page, "terminal-ready")
    shots_languages.till(page, address, shop, FOLDER)
    page.keyboard.type(shop["card_number"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stamp", exact=True)).to_be_visible()
    _take(page, "terminal-card")
    page.get_by_role("button", name="Stamp", exact=True).click()
    expect(page.get_by_role("heading", name="Card full")).to_be_visible()
    _take(page, "terminal")
    page.emulate_media(color_scheme="dark")
    _take(page, "terminal-dark")


def _office(browser: Browser, address: str, shop: Shop) -> None:
    page = _page(browser, DESK)
    sign_in(page, f"{address}/office", shop["owner_email"], shop["owner_password"])
    expect(page.get_by_role("heading", level=1, name="Ada's Bakery")).to_be_visible()
    _take(page, "office")
    for name in ("program", "customers", "statistics", "mails/birthday/en"):
        page.goto(f"{address}/office/{name}")
        if name.startswith("mails"):
            expect(page.frame_locator("iframe").locator("p").first).to_be_visible()
        _take(page, f"office-{name.partition('/')[0]}")
    page.goto(f"{address}/office/customers?q={shop['card_number']}")
    page.get_by_role("rowheader").get_by_role("link").first.click()
    _take(page, "office-customer")
    shots_languages.office(page, address, FOLDER)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.goto(f"{address}/office")
    page.get_by_text("Menu", exact=True).click()
    _take(page, "office-phone")


def _wizard(browser: Browser, address: str, shop: Shop) -> None:
    page = _page(browser, DESK)
    sign_in(page, f"{address}/office/wizard", shop["new_owner_email"], shop["new_owner_password"])
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_label("The reward")).to_be_visible()
    _take(page, "wizard")


def _platform(browser: Browser, address: str, shop: Shop) -> None:
    page = _page(browser, DESK)
    sign_in(page, f"{address}/admin", shop["admin_email"], shop["admin_password"])
    page.goto(f"{address}/admin/vendors")
    _take(page, "admin-shops")
    page.goto(f"{address}/admin/health")
    _take(page, "admin-health")
    shots_languages.platform(page, address, FOLDER)


def sign_in(page: Page, address: str, email: str, password: str) -> None:
    page.goto(address)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "sign-in" not in url)


if __name__ == "__main__":
    main()
