"""Every form, sent empty and with far too much: the page says what is wrong, leads there, and loses nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests import axe, world
from tests.browser.test_every_page import PHONE, addresses, visit

pytestmark = pytest.mark.browser

# Longer than anything may be, and told apart from every other text.
LONG = "Far too much of it. " * 600
# Forms in which somebody types, by the address that they are sent to.
FORMS = """() => [...document.querySelectorAll("main form[method=post]")]
    .filter(form => form.querySelector("textarea, input:not([type=hidden], [type=radio], [type=checkbox])"))
    .map(form => form.getAttribute("action"))"""
# Past what the browser itself refuses: other programs send forms, too.
SEND = """([action, text]) => {
    const form = [...document.querySelectorAll("main form")].find(each => each.getAttribute("action") === action);
    for (const each of form.querySelectorAll("textarea, input:not([type=hidden], [type=radio], [type=checkbox])"))
        if (!["file", "color"].includes(each.type)) each.value = text;
    form.submit();
}"""
WRONG = """text => {
    const wrong = [], heading = document.querySelector(".summary [data-focus]");
    const links = [...document.querySelectorAll(".summary a")];
    if (!document.title.startsWith("Error:")) wrong.push("the title is " + document.title);
    if (document.activeElement !== heading) wrong.push("the focus is elsewhere");
    if (!document.querySelector(".summary li")) wrong.push("nothing is said");
    for (const link of links) {
        const field = document.getElementById(link.hash.slice(1));
        if (!field?.matches("input, select, textarea")) { wrong.push(link.hash + " leads nowhere"); continue; }
        // Of a choice, the group is.
        const marked = field.closest("[aria-invalid=true]");
        if (!marked) { wrong.push(link.hash + " is not marked"); continue; }
        const about = (marked.getAttribute("aria-describedby") ?? "").split(" ").map(id => document.getElementById(id));
        const said = about.find(each => each?.matches(".error"))?.innerText.trim();
        if (!said || !link.innerText.endsWith(said)) wrong.push(link.hash + " is not described");
        const name = (marked.querySelector("legend") ?? field.labels[0]?.firstChild).textContent.trim().toLowerCase();
        if (!link.innerText.toLowerCase().includes(name)) wrong.push(link.hash + " is not named: " + link.innerText);
        const typed = ["text", "email", "tel", "search", "textarea", "url"].includes(field.type);
        if (typed && field.value.trim() !== text.trim()) wrong.push(link.hash + " has lost what was typed");
    }
    return wrong;
}"""


def refusals(page: Page, paths: list[str]) -> Iterator[tuple[str, str]]:
    """Send every form, and stop at each page that refuses it; yield where it was sent to and what was typed."""
    sent: set[str] = set()
    for path in paths:
        page.goto(f"{path}?lang=en")
        is_there = True
        for action in [each for each in page.evaluate(FORMS) if each not in sent]:
            sent.add(action)
            for text in ("", LONG):
                if not is_there:
                    page.goto(f"{path}?lang=en")
                is_there = False
                with page.expect_navigation() as answer:
                    page.evaluate(SEND, [action, text])
                if answer.value.status >= 400:
                    assert answer.value.status == 422, action
                    yield action, text


@pytest.mark.parametrize("who", ["anonymous", "owner", "admin"])
def test_it_takes_the_reader_to_what_is_wrong(till_browser: Browser, app: Flask, live: str, who: str) -> None:
    with app.app_context():
        bakery = world.make_business("bakery")
    person = (world.doors(app, bakery) | world.strangers(app))[who]
    # Where something can be typed; the till says what is wrong in its own way, and has tests of its own.
    found = addresses(app, person, bakery, with_=b'class="field')
    paths = [path for path in found if not path.startswith("/terminal")]
    seen: set[str] = set()
    wrong: list[Any] = []
    with visit(till_browser, app, live, person.client, viewport=PHONE) as context:
        page = context.new_page()
        for action, text in refusals(page, paths):
            wrong += [(action, text[:8], each) for each in page.evaluate(WRONG, text)]
            # What is refused twice looks the same twice.
            wrong += [(action, *each) for each in axe.faults(page)] if action not in seen else []
            seen.add(action)
    assert seen
    assert wrong == []
