"""The web component <heliograph-inbox>: lost connections, and marks that cannot be sent at once."""

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.browser.inbox_pages import context, inbox, opened, page, wait_until
from tests.browser.live_inbox import LiveInbox
from tests.browser.shop import Shop

__all__ = ["context", "inbox", "page"]  # fixtures

pytestmark = pytest.mark.browser

AWAY = "Reconnecting …"


def requests_of(page: Page, path: str) -> list[Request]:
    """The requests of a page to the publisher's ``path``, as they happen."""
    found: list[Request] = []
    page.on("request", lambda request: found.append(request) if request.url.endswith(path) else None)
    return found


def accepted(requests: list[Request]) -> list[Request]:
    """Those that the publisher answered with 200."""
    answered = [(request, request.response()) for request in requests if request.failure is None]
    return [request for request, response in answered if response is not None and response.status == 200]


def test_lost_connection_is_resumed_after_the_last_event(page: Page, context: BrowserContext, inbox: LiveInbox) -> None:
    inbox.deliver("One")
    streams = requests_of(page, "/v1/inbox/live")
    opened(page, inbox)
    version = inbox.read()["version"]
    context.set_offline(True)
    inbox.deliver("Two")
    context.set_offline(False)
    expect(page.locator(".badge")).to_have_text("2")
    expect(page.locator(".toast")).to_contain_text("Two")
    assert "last-event-id" not in streams[0].headers
    assert streams[-1].headers["last-event-id"] == str(version)


def test_long_gap_is_closed_by_a_snapshot(page: Page, context: BrowserContext, inbox: LiveInbox) -> None:
    inbox.put("One")
    opened(page, inbox, "mode=page")
    context.set_offline(True)
    inbox.put(*(f"Title {number}" for number in range(250)))
    context.set_offline(False)
    expect(page.locator(".title").first).to_have_text("Title 249")
    page.mouse.wheel(0, 100_000)
    expect(page.locator(".title").nth(30)).to_have_text("Title 219")


def test_killed_publisher_is_waited_for_and_nothing_is_lost_or_sent_twice(
    page: Page, context: BrowserContext, inbox: LiveInbox
) -> None:
    inbox.deliver("One", "Two", "Three")
    other = context.new_page()
    bell = opened(other, inbox, "badge=unread")
    marks = {path: requests_of(page, f"/v1/inbox/{path}") for path in ("read", "archive")}
    opened(page, inbox, "mode=page")
    expect(page.locator("li.unread")).to_have_count(3)

    inbox.installation.kill_publisher()
    expect(page.get_by_text(AWAY)).to_be_visible()
    page.get_by_role("button", name="Three").first.click()
    page.get_by_role("button", name="Archive “Two”").click()
    expect(page.locator(".title")).to_have_text(["Three", "One"])
    expect(page.locator("li.unread .title")).to_have_text(["One"])
    inbox.put("While it was away")
    wait_until(page, lambda: len(marks["read"]) == 1, "a mark to be tried in vain")

    inbox.installation.start_publisher()
    expect(page.get_by_text(AWAY)).to_be_hidden()
    expect(page.locator(".title")).to_have_text(["While it was away", "Three", "One"])
    expect(page.locator("li.unread .title")).to_have_text(["While it was away", "One"])
    wait_until(page, lambda: inbox.counts()[1] == 2, "the marks to be sent")
    expect(bell).to_have_accessible_name("Notifications, 2 new")
    counts = {"unseen": 0, "unread": 2}
    for each in (page, other):
        expect(each.locator("heliograph-inbox")).to_have_js_property("counts", counts)
    assert [len(accepted(requests)) for requests in marks.values()] == [1, 1]


def test_marks_made_offline_show_at_once_and_are_sent_later(
    page: Page, context: BrowserContext, inbox: LiveInbox
) -> None:
    inbox.deliver("One", "Two", "Three")
    opened(page, inbox, "mode=page&badge=unread")
    expect(page.locator("li.unread")).to_have_count(3)
    context.set_offline(True)
    page.get_by_role("button", name="Three").first.click()
    page.get_by_role("button", name="Archive “Two”").click()
    expect(page.locator("li.unread")).to_have_count(1)
    expect(page.locator(".title")).to_have_text(["Three", "One"])
    assert inbox.counts()[1] == 3

    context.set_offline(False)
    wait_until(page, lambda: inbox.counts()[1] == 1, "the marks to be sent")
    expect(page.locator(".title")).to_have_text(["Three", "One"])
    expect(page.locator("li.unread")).to_have_count(1)


def test_marks_made_offline_survive_a_reload(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("One", "Two")
    opened(page, inbox, "mode=page")
    expect(page.locator("li.unread")).to_have_count(2)
    page.route("**/v1/inbox/read", lambda route: route.abort())
    page.get_by_role("button", name="One").first.click()
    expect(page.locator("li.unread")).to_have_count(1)

    opened(page, inbox, "mode=page")
    expect(page.locator("li.unread")).to_have_count(1)
    assert inbox.counts()[1] == 2, "only the mark that is kept hides the server's state"
    page.unroute("**/v1/inbox/read")
    opened(page, inbox, "mode=page")
    wait_until(page, lambda: inbox.counts()[1] == 1, "the mark to be sent")


def test_read_all_made_offline_marks_nothing_that_arrives_later(
    page: Page, context: BrowserContext, inbox: LiveInbox
) -> None:
    inbox.deliver_many(30)
    opened(page, inbox, "mode=page")
    context.set_offline(True)
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator("li.unread")).to_have_count(0)
    inbox.deliver("Later")
    page.wait_for_timeout(2_100)
    context.set_offline(False)
    wait_until(page, lambda: inbox.counts()[1] == 1, "the marks to be sent")
    expect(page.locator("li.unread .title")).to_have_text(["Later"])
    assert inbox.titles("unread") == ["Later"]


@pytest.mark.parametrize(
    ("button", "action"), [("One", "read"), ("Archive “One”", "archive"), ("Mark all as read", "read_all")]
)
def test_mark_that_fails_once_stays_and_is_sent_again(
    page: Page, inbox: LiveInbox, shop: Shop, button: str, action: str
) -> None:
    inbox.deliver("One")
    opened(page, inbox, "mode=page")
    expect(page.locator("li.unread")).to_have_count(1)
    failed: list[str] = []

    def fail(route: Route) -> None:
        failed.append(route.request.url)
        route.fulfill(status=503, headers={"Access-Control-Allow-Origin": shop.url})

    page.route(f"**/v1/inbox/{action}", fail, times=1)
    page.get_by_role("button", name=button).first.click()
    expect(page.locator("li.unread")).to_have_count(0)
    wait_until(page, lambda: len(failed) == 1, "the failure")
    assert inbox.counts()[1] == 1
    wait_until(page, lambda: inbox.counts()[1] == 0, "the mark to be sent again")
    expect(page.locator("li.unread")).to_have_count(0)


def test_refused_mark_is_undone(page: Page, inbox: LiveInbox) -> None:
    inbox.put("One", notification_id="no UUID, so the publisher refuses it")
    refused = requests_of(page, "/v1/inbox/read")
    opened(page, inbox, "mode=page")
    page.get_by_role("button", name="One").first.click()
    wait_until(page, lambda: len(refused) == 1, "the mark to be sent")
    expect(page.locator("li.unread")).to_have_count(1)
    response = refused[0].response()
    assert response is not None
    assert response.status == 422


def test_page_that_cannot_be_loaded_can_be_tried_again(page: Page, inbox: LiveInbox) -> None:
    inbox.put(*(f"Title {number}" for number in range(30)))
    page.route("**/v1/inbox?*", lambda route: route.abort())
    opened(page, inbox, "mode=page")
    page.mouse.wheel(0, 100_000)
    expect(page.get_by_text("Older notifications could not be loaded.")).to_be_visible()
    page.unroute("**/v1/inbox?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("heliograph-inbox li")).to_have_count(30)
