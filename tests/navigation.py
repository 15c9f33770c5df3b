"""The navigation of office and platform, which a phone folds into a menu."""

from playwright.sync_api import Page


def go_to(page: Page, name: str) -> None:
    """Use the navigation as somebody would on this size of window."""
    # Before the styles are there, both kinds of it are to be seen.
    page.wait_for_load_state()
    ways = page.get_by_role("navigation")
    if ways.get_by_text("Menu", exact=True).is_visible():
        ways.get_by_text("Menu", exact=True).click()
    ways.get_by_role("link", name=name).click()
