"""`python -m benchmarks.lighthouse`: what Lighthouse says of the main pages, on a phone and on a desk."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from config import ROOT
from tests.browser.shots import ARGS, DESK, Shop, running, sign_in
from tests.chromium import executable

VERSION = "12.8.2"
FOLDER = ROOT / "build" / "lighthouse"
PRESETS = {"phone": [], "desk": ["--preset=desktop"]}
# Without these nothing is good; the others depend on the machine, or on who may find the page.
DEMANDED = ("accessibility", "best-practices")
CATEGORIES = (*DEMANDED, "performance", "seo")
NOTHING = {"runtimeError": {"message": "Lighthouse gave no answer."}}
CHROMIUM = ("--headless=new", "--disable-quic", "--disable-sync", "--no-first-run", *ARGS)
OFFICE = {
    "home": "",
    "customers": "/customers",
    "transactions": "/transactions",
    "statistics": "/statistics",
    "customers' statistics": "/statistics/customers",
    "revenue": "/statistics/revenue",
    "program": "/program",
    "rewards": "/rewards",
    "stores": "/stores",
    "staff": "/staff",
    "tablets": "/tablets",
    "team": "/members",
    "mails": "/mails",
    "poster": "/poster",
    "account": "/account",
    "closing": "/program/closing",
}
ADMIN = {
    "home": "",
    "shops": "/vendors",
    "statistics": "/statistics",
    "health": "/health",
    "failures": "/failures",
    "audit": "/audit",
    "mails": "/mails",
}


@dataclass(frozen=True)
class Place:
    """A page, and the cookies of who looks at it."""

    name: str
    path: str
    cookies: str = ""


@dataclass
class Answer:
    """What Lighthouse said of a page: a score of 100 for each category, and what is wrong where something is."""

    place: Place
    preset: str
    scores: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to do."""
        return all(self.scores.get(name) == 100 for name in DEMANDED)


def main() -> int:
    """Start the demo, ask about every page and print the table; 1 where a page is not good."""
    options = _options()
    _install()
    with (
        tempfile.TemporaryDirectory(prefix="loyalty-lighthouse-", ignore_cleanup_errors=True) as folder,
        sync_playwright() as playwright,
    ):
        Path(folder).chmod(0o711)
        chromium = executable(playwright)
        with running(Path(folder)) as (address, shop):
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
            answers = [
                _ask(address, place, preset, chromium, options.categories)
                for place in _places(browser, address, shop)
                if options.only in place.name
                for preset in PRESETS
            ]
            print(table(answers), *faults(answers), sep="\n", flush=True)
            browser.close()
    return 0 if all(answer.is_good for answer in answers) else 1


def table(answers: list[Answer]) -> str:
    """Write the scores as a table, a page a line."""
    columns = [(preset, name) for preset in PRESETS for name in CATEGORIES]
    lines = [
        "| page | " + " | ".join(f"{preset}: {name}" for preset, name in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    of = {(answer.place.name, answer.preset): answer.scores for answer in answers}
    for page in dict.fromkeys(answer.place.name for answer in answers):
        scores = [str(of.get((page, preset), {}).get(name, "-")) for preset, name in columns]
        lines.append(f"| {page} | {' | '.join(scores)} |")
    return "\n".join(lines)


def faults(answers: list[Answer]) -> list[str]:
    """Say what keeps pages from 100."""
    return [f"{answer.place.name}, {answer.preset}: {fault}" for answer in answers for fault in answer.faults]


def read(place: Place, preset: str, said: dict[str, Any], address: str) -> Answer:
    """Read a report of Lighthouse about the page at this address: nothing where another one was seen."""
    answer = Answer(place, preset)
    if "runtimeError" in said:
        answer.faults.append(said["runtimeError"]["message"])
        return answer
    if said["finalDisplayedUrl"] != address:
        answer.faults.append(f"led to {said['finalDisplayedUrl']}")
        return answer
    for name, category in said["categories"].items():
        if category["score"] is not None:
            answer.scores[name] = round(category["score"] * 100)
        weighed = [said["audits"][each["id"]] for each in category["auditRefs"] if each["weight"]]
        if name in DEMANDED:
            answer.faults += [_fault(audit) for audit in weighed if (audit["score"] or 0) < 1 and _counts(audit)]
    return answer


def _counts(audit: dict[str, Any]) -> bool:
    return audit["scoreDisplayMode"] not in ("notApplicable", "manual", "informative")


def _fault(audit: dict[str, Any]) -> str:
    items = audit.get("details", {}).get("items", [])
    places = [str(each.get("node", {}).get("snippet") or each.get("description") or each)[:160] for each in items[:3]]
    return f"{audit['id']} ({audit['title']}) {' … '.join(places)}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lighthouse", description=__doc__)
    parser.add_argument("--only", default="", help="only pages with this in their name, such as office")
    parser.add_argument("--categories", default=",".join(CATEGORIES), help="what to ask about")
    return parser.parse_args()


def _install() -> None:
    """Get Lighthouse, once; it is no part of the product."""
    if not shutil.which("npm"):
        raise SystemExit("Lighthouse needs Node.js: install node and npm.")
    if not (FOLDER / "node_modules" / "lighthouse").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(FOLDER)]
        subprocess.run([*npm, f"lighthouse@{VERSION}"], check=True)


def _ask(address: str, place: Place, preset: str, chromium: str, categories: str) -> Answer:
    with tempfile.TemporaryDirectory() as folder:
        # Through a pipe only the first 64 KB would come: it ends without waiting for who reads.
        report = Path(folder) / "report.json"
        asked = ["npx", "--no-install", "lighthouse", address + place.path, "--quiet", "--output=json"]
        asked += [f"--output-path={report}", f"--only-categories={categories}", f"--chrome-flags={' '.join(CHROMIUM)}"]
        asked += [f"--extra-headers={json.dumps({'Cookie': place.cookies})}"] if place.cookies else []
        env = {**os.environ, "CHROME_PATH": chromium}
        # How it went stands in the report.
        subprocess.run([*asked, *PRESETS[preset]], cwd=FOLDER, env=env, stderr=subprocess.DEVNULL, check=False)
        said = json.loads(report.read_text(encoding="utf-8")) if report.exists() else NOTHING
    answer = read(place, preset, said, address + place.path)
    print(place.name, preset, answer.scores, *answer.faults, file=sys.stderr, sep="  ", flush=True)
    return answer


def _places(browser: Browser, address: str, shop: Shop) -> Iterator[Place]:
    """Walk to the pages, one surface after the other: whoever signs in is still in when their pages are asked about."""
    yield from _public(browser.new_page(), address, shop)
    yield from _till(_desk(browser), address, shop)
    yield from _office(_desk(browser), address, shop)
    yield from _wizard(_desk(browser), address, shop)
    yield from _admin(_desk(browser), address, shop)


def _public(page: Page, address: str, shop: Shop) -> Iterator[Place]:
    yield Place("public: start", "/")
    yield Place("public: sign-in", "/office/sign-in")
    yield Place("public: join", f"/join/{shop['vendor_code']}")
    card = shop["card_url"].removeprefix(address)
    yield Place("public: card", card)
    page.goto(f"{address}{card}/my-data")
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    page.goto(_mailed(page, address))
    page.get_by_role("button", name="Open my data").click()
    expect(page.get_by_text("cleo@example.com").first).to_be_visible()
    yield Place("public: my data", f"{card}/my-data", _cookies(page))


def _mailed(page: Page, address: str) -> str:
    """Return the link in the newest mail, which the worker writes in its own time."""
    for _ in range(30):
        page.goto(f"{address}/")
        mails = page.locator("a[href*='/demo/mail/']").filter(has_text="data")
        if mails.count():
            mails.first.click()
            return page.get_by_role("link").filter(has_text="/my-data/").first.get_attribute("href") or ""
        page.wait_for_timeout(1_000)
    raise SystemExit("The mail with the link to a customer's data did not arrive.")


def _till(page: Page, address: str, shop: Shop) -> Iterator[Place]:
    page.goto(f"{address}/terminal")
    page.get_by_label("Pairing code").fill(shop["terminal_pairing_code"])
    page.get_by_role("button", name="Pair").click()
    page.get_by_label("Ada").check()
    yield Place("till: PIN", "/terminal", _cookies(page))
    page.get_by_label("Your PIN").fill(shop["manager_pin"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Scan the customer’s card")).to_be_visible()
    _stay(page, address)
    page.keyboard.type(shop["card_number"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stamp", exact=True)).to_be_visible()
    card, cookies = page.url.removeprefix(address), _cookies(page)
    yield Place("till: ready", "/terminal", cookies)
    yield Place("till: card", card, cookies)
    yield Place("till: settings", "/terminal/settings", cookies)


def _stay(page: Page, address: str) -> None:
    """Have the tablet lock itself only long after it was asked about."""
    page.goto(f"{address}/terminal/settings")
    page.get_by_label("15 min").check()
    page.get_by_role("button", name="Save").click()
    page.goto(f"{address}/terminal")
    expect(page.get_by_role("heading", name="Scan the customer’s card")).to_be_visible()


def _office(page: Page, address: str, shop: Shop) -> Iterator[Place]:
    sign_in(page, f"{address}/office", shop["owner_email"], shop["owner_password"])
    cookies = _cookies(page)
    yield from (Place(f"office: {name}", f"/office{path}", cookies) for name, path in OFFICE.items())
    page.goto(f"{address}/office/customers?q={shop['card_number']}")
    page.get_by_role("rowheader").get_by_role("link").first.click()
    page.wait_for_url("**/customers/*-*")
    yield Place("office: one customer", page.url.removeprefix(address), cookies)


def _wizard(page: Page, address: str, shop: Shop) -> Iterator[Place]:
    sign_in(page, f"{address}/office/wizard", shop["new_owner_email"], shop["new_owner_password"])
    yield Place("office: wizard", page.url.removeprefix(address), _cookies(page))


def _admin(page: Page, address: str, shop: Shop) -> Iterator[Place]:
    sign_in(page, f"{address}/admin", shop["admin_email"], shop["admin_password"])
    cookies = _cookies(page)
    yield from (Place(f"admin: {name}", f"/admin{path}", cookies) for name, path in ADMIN.items())
    page.goto(f"{address}/admin/vendors")
    page.get_by_role("rowheader").get_by_role("link").first.click()
    page.wait_for_url("**/vendors/*-*")
    one = page.url.removeprefix(address)
    yield Place("admin: one shop", one, cookies)
    yield Place("admin: policy", f"{one}/policy", cookies)


def _desk(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": DESK[0], "height": DESK[1]}, locale="en-GB")


def _cookies(page: Page) -> str:
    return "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())


if __name__ == "__main__":
    sys.exit(main())
