"""What axe finds on a page: the rules of WCAG 2.2 AA and of good practice."""

from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page

_AXE = (Path(__file__).parent / "browser" / "vendor" / "axe.min.js").read_text(encoding="utf-8")
# Half-faded text has no contrast, so what fades in does it first. The mail in a frame runs no scripts. Only what is
# wrong is put together and sent: on a long page the rest takes most of the time.
_RUN = """async rules => {
    await Promise.allSettled(document.getAnimations()
        .filter(each => each.effect.getTiming().iterations !== Infinity).map(each => each.finished));
    return (await axe.run({runOnly: rules, resultTypes: ['violations'], elementRef: false, iframes: false})).violations;
}"""
_ALL: Mapping[str, object] = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
# What a colour scheme can break, since it changes nothing but colours.
_COLOURS: Mapping[str, object] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}

Faults = list[tuple[str, list[str]]]


def faults(page: Page) -> Faults:
    """Return the rules that a page breaks, each with the places; the page must allow scripts of the test."""
    return _run(page, _ALL)


def faults_in_both(page: Page) -> Faults:
    """Return what a page breaks in light colours, and what it breaks besides in dark ones."""
    page.emulate_media(color_scheme="dark")
    found = [(f"{rule} in the dark", places) for rule, places in _run(page, _COLOURS)]
    page.emulate_media(color_scheme="light")
    return found + _run(page, _ALL)


def _run(page: Page, rules: Mapping[str, object]) -> Faults:
    # A tap comes back when the next page begins, and a page that is half there breaks rules.
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    found = page.evaluate(_RUN, rules)
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found]
