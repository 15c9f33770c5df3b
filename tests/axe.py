"""What axe finds on a page: the rules of WCAG 2.2 AA and of good practice."""

from pathlib import Path

from playwright.sync_api import Page

_AXE = (Path(__file__).parent / "browser" / "vendor" / "axe.min.js").read_text(encoding="utf-8")
# Only what is wrong is put together and sent: on a long page the rest takes most of the time.
_RUN = "tags => axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'], elementRef: false})"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def faults(page: Page) -> list[tuple[str, list[str]]]:
    """Return the rules that a page breaks, each with the places; the page must allow scripts of the test."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    found = page.evaluate(_RUN, _TAGS)["violations"]
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found]
