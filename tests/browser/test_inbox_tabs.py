"""The web component <heliograph-inbox> in two tabs of one user, which must agree."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.inbox_pages import context, inbox, opened, page, wait_until
from tests.browser.live_inbox import LiveInbox

__all__ = ["context", "inbox", "page"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def other(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


def expect_counts(unseen: int, unread: int, *pages: Page) -> None:
    for each in pages:
        expected = {"unseen": unseen, "unread": unread}
        expect(each.locator("heliograph-inbox")).to_have_js_property("counts", expected)


def test_arrival_shows_in_both_tabs_and_what_one_tab_shows_is_seen_in_both(
    page: Page, other: Page, inbox: LiveInbox
) -> None:
    for each in (page, other):
        opened(each, inbox)
    inbox.deliver("One")
    for each in (page, other):
        expect(each.locator(".badge")).to_have_text("1")
        expect(each.locator(".toast")).to_contain_text("One")
    page.locator("heliograph-inbox .bell").click()
    expect(other.locator(".badge")).to_be_hidden()
    expect_counts(0, 1, page, other)


@pytest.mark.parametrize("mode", ["mode=page", "badge=unread"])
def test_what_is_read_or_archived_in_one_tab_is_so_in_the_other(
    page: Page, other: Page, inbox: LiveInbox, mode: str
) -> None:
    inbox.deliver("One", "Two", "Three", "Four")
    for each in (page, other):
        bell = opened(each, inbox, mode)
        if "page" not in mode:
            bell.click()
    other.get_by_role("tab", name="Unread 4").click()
    expect(other.locator(".title")).to_have_text(["Four", "Three", "Two", "One"])

    page.get_by_role("button", name="Three").first.click()
    expect(other.locator(".title")).to_have_text(["Four", "Two", "One"])
    page.get_by_role("button", name="Archive “Two”").click()
    expect(other.locator(".title")).to_have_text(["Four", "One"])
    expect(other.get_by_role("tab", name="Unread 2")).to_be_visible()
    expect_counts(0, 2, page, other)

    other.get_by_role("button", name="Mark all as read").click()
    expect(other.get_by_text("You have read everything")).to_be_visible()
    expect(page.locator("li.unread")).to_have_count(0)
    expect(page.locator(".title")).to_have_text(["Four", "Three", "One"])
    expect_counts(0, 0, page, other)
    other.get_by_role("tab", name="Archived").click()
    expect(other.locator(".title")).to_have_text(["Two"])
    wait_until(page, lambda: inbox.counts() == (0, 0), "the marks")


def test_entry_that_both_tabs_mark_is_counted_once(page: Page, other: Page, inbox: LiveInbox) -> None:
    inbox.deliver("One", "Two", "Three")
    for each in (page, other):
        opened(each, inbox, "mode=page")
        expect(each.locator("li.unread")).to_have_count(3)
    for each in (page, other):
        each.get_by_role("button", name="Two").first.click()
    wait_until(page, lambda: inbox.counts() == (0, 2), "the marks")
    expect_counts(0, 2, page, other)
