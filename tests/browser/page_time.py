"""The time of a page, which a test may hold."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page


def hold_time(page: Page) -> None:
    """Let the page's clock stand still, so that time passes only where the test says so, with `page.clock.run_for`."""
    now = datetime.now(UTC)
    page.clock.install(time=now)
    # It can only stop ahead of where it has come to meanwhile.
    page.clock.pause_at(now + timedelta(seconds=20))
