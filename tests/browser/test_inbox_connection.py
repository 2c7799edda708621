"""The web component <heliograph-inbox>: lost connections, marks made meanwhile, and tokens."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.inbox_pages import context, inbox, opened, page, wait_until
from tests.browser.scripted_inbox import ScriptedInbox

__all__ = ["context", "inbox", "page"]  # fixtures

pytestmark = pytest.mark.browser


def test_lost_connection_is_resumed_after_the_last_event(page: Page, inbox: ScriptedInbox) -> None:
    inbox.deliver("One")
    opened(page, inbox)
    version = inbox.version
    inbox.end_streams()
    inbox.deliver("Two")
    expect(page.locator(".badge")).to_have_text("2")
    assert inbox.resumed_after[0] is None
    assert inbox.resumed_after[1] == str(version)
    expect(page.locator(".toast")).to_contain_text("Two")


def test_long_gap_is_closed_by_a_snapshot(page: Page, inbox: ScriptedInbox) -> None:
    inbox.deliver("One")
    opened(page, inbox, "mode=page")
    inbox.fail(failing=True)
    inbox.deliver(*(f"Title {number}" for number in range(250)))
    inbox.fail(failing=False)
    expect(page.locator(".title").first).to_have_text("Title 249")
    page.mouse.wheel(0, 100_000)
    expect(page.locator(".title").nth(30)).to_have_text("Title 219")


def test_failing_server_shows_reconnecting_and_recovers(page: Page, inbox: ScriptedInbox) -> None:
    inbox.deliver("One")
    opened(page, inbox, "mode=page")
    inbox.fail(failing=True)
    expect(page.get_by_text("Reconnecting …")).to_be_visible()
    expect(page.get_by_text("One", exact=True)).to_be_visible()
    inbox.fail(failing=False)
    expect(page.get_by_text("Reconnecting …")).to_be_hidden(timeout=20_000)


def test_marks_made_offline_show_at_once_and_are_sent_later(
    page: Page, context: BrowserContext, inbox: ScriptedInbox
) -> None:
    inbox.deliver("One", "Two", "Three")
    opened(page, inbox, "mode=page&badge=unread")
    expect(page.locator("li.unread")).to_have_count(3)
    context.set_offline(True)
    inbox.end_streams()
    page.get_by_role("button", name="Three").first.click()
    page.get_by_role("button", name="Archive “Two”").click()
    expect(page.locator("li.unread")).to_have_count(1)
    expect(page.locator(".title")).to_have_text(["Three", "One"])
    assert inbox.counts()["unread"] == 3

    context.set_offline(False)
    wait_until(page, lambda: inbox.counts()["unread"] == 1, "the marks to be sent")
    expect(page.locator(".title")).to_have_text(["Three", "One"])
    expect(page.locator("li.unread")).to_have_count(1)


def test_marks_made_offline_survive_a_reload(page: Page, inbox: ScriptedInbox) -> None:
    inbox.deliver("One", "Two")
    opened(page, inbox, "mode=page")
    expect(page.locator("li.unread")).to_have_count(2)
    page.route("**/v1/inbox/read", lambda route: route.abort())
    page.get_by_role("button", name="One").first.click()
    expect(page.locator("li.unread")).to_have_count(1)

    opened(page, inbox, "mode=page")
    expect(page.locator("li.unread")).to_have_count(1)
    assert inbox.counts()["unread"] == 2, "only the mark that is kept hides the server's state"
    page.unroute("**/v1/inbox/read")
    opened(page, inbox, "mode=page")
    wait_until(page, lambda: inbox.counts()["unread"] == 1, "the mark to be sent")


def test_read_all_made_offline_marks_nothing_that_arrives_later(
    page: Page, context: BrowserContext, inbox: ScriptedInbox
) -> None:
    inbox.deliver(*(f"Title {number}" for number in range(30)))
    opened(page, inbox, "mode=page")
    context.set_offline(True)
    inbox.end_streams()
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator("li.unread")).to_have_count(0)
    inbox.deliver("Later")
    page.wait_for_timeout(2_100)
    context.set_offline(False)
    wait_until(page, lambda: inbox.counts()["unread"] == 1, "the marks to be sent")
    expect(page.locator("li.unread .title")).to_have_text(["Later"])
    assert inbox.newest("unread")[0]["title"] == "Later"


def test_refused_mark_is_undone(page: Page, inbox: ScriptedInbox) -> None:
    inbox.deliver("One")
    opened(page, inbox, "mode=page")
    page.route("**/v1/inbox/read", lambda route: route.fulfill(status=422))
    page.get_by_role("button", name="One").first.click()
    expect(page.locator("li.unread")).to_have_count(1)


def test_expired_token_is_renewed(page: Page, inbox: ScriptedInbox) -> None:
    opened(page, inbox)
    inbox.renew_token("token-2")
    wait_until(page, lambda: len(inbox.resumed_after) == 2, "the component to connect with the new token")
    inbox.deliver("One")
    expect(page.locator(".badge")).to_have_text("1")


def test_refused_token_says_that_the_session_ended_and_can_be_tried_again(page: Page, inbox: ScriptedInbox) -> None:
    inbox.deliver("One")
    opened(page, inbox, "mode=page")
    inbox.renew_token(None)
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    inbox.renew_token("token-3")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Your session has ended.")).to_be_hidden()
    inbox.deliver("Two")
    expect(page.locator(".title")).to_have_text(["Two", "One"])


def test_page_that_cannot_be_loaded_can_be_tried_again(page: Page, inbox: ScriptedInbox) -> None:
    inbox.deliver(*(f"Title {number}" for number in range(30)))
    page.route("**/v1/inbox?*", lambda route: route.abort())
    opened(page, inbox, "mode=page")
    page.mouse.wheel(0, 100_000)
    expect(page.get_by_text("Older notifications could not be loaded.")).to_be_visible()
    page.unroute("**/v1/inbox?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("heliograph-inbox li")).to_have_count(30)
