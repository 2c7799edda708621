"""The web component <heliograph-inbox> with 1,000 unread entries."""

import time
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.inbox_pages import context, inbox, opened, page, wait_until
from tests.browser.live_inbox import LiveInbox

__all__ = ["context", "inbox", "page"]  # fixtures

pytestmark = pytest.mark.browser

MANY = 1_000
LONGEST_DRAWING_MS = 250
LONGEST_LOADING_S = 60.0
SHOWN = "rows => rows.map(row => row.dataset.id)"
TOP = "row => row.getBoundingClientRect().top"


def ids_of(inbox: LiveInbox) -> list[str]:
    """The whole inbox as the publisher pages through it."""
    found: list[str] = []
    before: dict[str, str] = {}
    while True:
        page: dict[str, Any] = inbox.read(limit=100, **before)
        found += [entry["notification_id"] for entry in page["entries"]]
        if page["next"] is None:
            return found
        before = {"before": page["next"]}


def scroll_to_the_end(page: Page, rows: Locator, count: int) -> None:
    def at_the_end() -> bool:
        page.locator(".scroll").evaluate("scroll => { scroll.scrollTop = scroll.scrollHeight; }")
        return rows.count() == count

    deadline = time.monotonic() + LONGEST_LOADING_S
    while not at_the_end():
        assert time.monotonic() < deadline, f"{rows.count()} of {count} entries were loaded."
        page.wait_for_timeout(50)


def test_a_thousand_entries_can_be_scrolled_and_marked(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver_many(MANY)
    bell = opened(page, inbox, "badge=unread")
    expect(page.locator(".badge")).to_have_text("99+")
    component = page.locator("heliograph-inbox")
    expect(component).to_have_js_property("counts", {"unseen": MANY, "unread": MANY})
    bell.click()
    rows = page.locator("heliograph-inbox li")
    expect(rows.first).to_be_visible()
    scroll_to_the_end(page, rows, MANY)
    assert rows.evaluate_all(SHOWN) == ids_of(inbox)
    expect(page.locator(".more")).to_be_hidden()
    expect(page.get_by_role("tab", name="Unread 1,000")).to_be_visible()
    drawn_ms = component.evaluate("""inbox => {
        const started = performance.now();
        inbox.setAttribute("badge", "unseen");
        return performance.now() - started;
    }""")
    assert drawn_ms < LONGEST_DRAWING_MS, "drawing again must not be felt"

    read = rows.nth(500)
    read.scroll_into_view_if_needed()
    page.wait_for_timeout(200)  # rows that come into sight get their own height
    top = read.evaluate(TOP)
    inbox.deliver("Newest")
    expect(page.locator(".title").first).to_have_text("Newest")
    assert rows.nth(501).evaluate(TOP) == pytest.approx(top, abs=1), "an arrival does not move what the user reads"

    expect(component).to_have_js_property("counts", {"unseen": 0, "unread": MANY + 1})
    component.evaluate("""inbox => {
        window.unread = [];
        inbox.addEventListener("heliograph-counts", ({ detail }) => window.unread.push(detail.unread));
    }""")
    page.get_by_role("button", name="Mark all as read").click()
    wait_until(page, lambda: inbox.counts() == (0, 0), "the marks")
    page.wait_for_timeout(1_000)  # so that the marks come back: more than 200 at once, so as a snapshot
    assert page.evaluate("window.unread") == [0], "the count goes to 0 at once, and stays"
    expect(page.locator("li.unread")).to_have_count(0)
    assert rows.evaluate_all(SHOWN) == ids_of(inbox)
    assert rows.nth(501).evaluate(TOP) == pytest.approx(top, abs=1), "a snapshot does not move what the user reads"
    page.get_by_role("tab", name="Unread").click()
    expect(page.get_by_text("You have read everything")).to_be_visible()
