"""A tablet on the counter, in a real browser: what staff do with it, and what is expected of every screen."""

import re
import time
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect

from tests import axe

LANDSCAPE: ViewportSize = {"width": 1180, "height": 820}
PHONE: ViewportSize = {"width": 390, "height": 844}
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SETTLED = """Promise.allSettled(document.getAnimations()
  .filter(each => each.effect.getTiming().iterations !== Infinity).map(each => each.finished)).then(() => true)"""
# What a keyboard says beside the sign itself.
ENTER: dict[str, Any] = {"key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13}


@dataclass
class Tablet:
    """A browser at `/terminal`; `complaints` are the errors of its console."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def pair(self, code: str) -> None:
        """Type the code from the office."""
        self.page.goto("/terminal")
        self.page.get_by_label("Pairing code").fill(code)
        self.page.get_by_role("button", name="Pair").click()
        expect(self.page.locator("#pin")).to_be_visible()

    def sign_in(self, name: str, pin: str) -> None:
        """Tap a name and the digits."""
        self.page.get_by_role("radio", name=re.compile(rf"^{name}\b")).check()
        for digit in pin:
            self.page.locator("#pin .pad").get_by_role("button", name=digit, exact=True).click()

    def scan(self, text: str) -> None:
        """Type like a USB scanner: faster than anybody, however slow this machine is, with Enter at the end."""
        wire = self.page.context.new_cdp_session(self.page)
        keys: list[dict[str, Any]] = [*({"key": sign, "text": sign} for sign in text), ENTER]
        begin = time.time() - len(keys) / 200
        for number, key in enumerate(keys):
            # The page is told when the key went down, not when it heard of it.
            wire.send("Input.dispatchKeyEvent", {**key, "type": "keyDown", "timestamp": begin + number / 200})
        wire.detach()

    def tap(self, name: str) -> None:
        """Press a button or a link of the screen."""
        button = self.page.locator("#stage").get_by_role("button", name=name, exact=True)
        link = self.page.locator("#stage").get_by_role("link", name=name, exact=True)
        button.or_(link).click()

    def sees(self, title: str | re.Pattern[str]) -> None:
        """Wait for the heading of a screen."""
        expect(self.page.locator("#stage h1").first).to_have_text(title)

    def leaves_nothing_to_axe(self) -> None:
        """Check a state: nothing for axe, the focus somewhere harmless, no sideways scroll."""
        assert axe.faults_in_both(self.page) == []
        focused = self.page.evaluate("document.activeElement.tagName")
        assert focused not in ("BODY", "BUTTON"), focused
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def open_tablet(browser: Browser, live: str, size: ViewportSize = LANDSCAPE, **options: Any) -> Tablet:
    """Open a browser window on a tablet; the options are Playwright's."""
    context = browser.new_context(base_url=live, viewport=size, **options)
    context.set_default_timeout(60_000)
    tablet = Tablet(context.new_page())
    tablet.page.on("console", lambda message: _listen(tablet, message))
    tablet.page.on("pageerror", lambda error: tablet.complaints.append(str(error)))
    return tablet


def _listen(tablet: Tablet, message: ConsoleMessage) -> None:
    # A refusal has a status of its own, and Chromium notes every one; so does it the cut wire of a test.
    expected = re.search(r"status of 4\d\d|net::ERR_", message.text)
    if message.type == "error" and not expected:
        tablet.complaints.append(message.text)
