"""The web component <heliograph-inbox>: what a user sees and does."""

import re
from datetime import datetime

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.inbox_pages import context, inbox, opened, page, wait_until
from tests.browser.live_inbox import LiveInbox

__all__ = ["context", "inbox", "page"]  # fixtures

pytestmark = pytest.mark.browser


def test_arrival_shows_in_the_badge_and_in_a_toast_and_is_announced(page: Page, inbox: LiveInbox) -> None:
    bell = opened(page, inbox)
    expect(bell).to_have_accessible_name("Notifications")
    expect(page.locator(".badge")).to_be_hidden()

    inbox.deliver("Your order has been shipped", body="Expected on Thursday.")

    expect(page.locator(".badge")).to_have_text("1")
    expect(bell).to_have_accessible_name("Notifications, 1 new")
    expect(page.locator(".toast")).to_contain_text("Expected on Thursday.")
    expect(page.get_by_role("status").first).to_have_text("New notification: Your order has been shipped")


def test_entries_from_before_the_page_opened_show_no_toast(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("Old")
    opened(page, inbox)
    expect(page.locator(".badge")).to_have_text("1")
    expect(page.locator(".toast")).to_be_hidden()


def test_toast_counts_what_arrives_while_it_is_shown_and_opens_the_panel(page: Page, inbox: LiveInbox) -> None:
    opened(page, inbox)
    inbox.deliver("First")
    expect(page.locator(".toast")).to_contain_text("First")
    inbox.deliver("Second", "Third")
    expect(page.locator(".toast")).to_contain_text("3 new notifications")
    page.locator(".toast-open").click()
    expect(page.get_by_role("dialog", name="Notifications")).to_be_visible()
    expect(page.locator(".toast")).to_be_hidden()


def test_badge_shows_99_plus(page: Page, inbox: LiveInbox) -> None:
    inbox.put(*(f"Title {number}" for number in range(100)))
    opened(page, inbox)
    expect(page.locator(".badge")).to_have_text("99+")


def test_opening_the_panel_marks_entries_as_seen_and_leaves_them_unread(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("One", "Two")
    opened(page, inbox).click()
    expect(page.locator(".badge")).to_be_hidden()
    expect(page.locator("li.unread")).to_have_count(2)
    wait_until(page, lambda: inbox.counts() == (0, 2), "the entries to be seen")


def test_click_marks_as_read_and_follows_the_link(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("Your order", url="/orders/7")
    opened(page, inbox).click()
    page.get_by_role("link", name="Your order").click()
    page.wait_for_url("**/orders/7")
    wait_until(page, lambda: inbox.titles("unread") == [], "the mark")


def test_app_can_open_an_entry_by_itself(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("Your order", url="/orders/7")
    bell = opened(page, inbox)
    page.evaluate("""() => document.addEventListener("heliograph-entry", (event) => {
        event.preventDefault();
        document.title = event.detail.url;
    })""")
    bell.click()
    page.get_by_role("link", name="Your order").click()
    expect(page).to_have_title("/orders/7")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.url.startswith(f"{inbox.shop.url}/?")


def test_tabs_and_read_all_and_archive(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("One", "Two", "Three")
    opened(page, inbox).click()
    expect(page.locator(".title")).to_have_text(["Three", "Two", "One"])

    page.get_by_role("button", name="One").first.click()
    page.get_by_role("tab", name="Unread 2").click()
    expect(page.locator(".title")).to_have_text(["Three", "Two"])

    page.get_by_role("button", name="Archive “Two”").click()
    expect(page.locator(".title")).to_have_text(["Three"])
    page.get_by_role("tab", name="Archived").click()
    expect(page.locator(".title")).to_have_text(["Two"])

    page.get_by_role("button", name="Mark all as read").click()
    page.get_by_role("tab", name="Unread").click()
    expect(page.get_by_text("You have read everything")).to_be_visible()
    expect(page.get_by_role("button", name="Mark all as read")).to_be_hidden()
    wait_until(page, lambda: inbox.counts() == (0, 0), "the marks")
    assert inbox.titles("archived") == ["Two"]


def test_mark_of_another_device_shows_without_a_reload(page: Page, inbox: LiveInbox) -> None:
    first, second = inbox.deliver("One", "Two")
    opened(page, inbox, "badge=unread").click()
    expect(page.locator("li.unread")).to_have_count(2)
    inbox.mark("read", first)
    expect(page.locator("li.unread")).to_have_count(1)
    inbox.mark("archive", second)
    expect(page.locator(".title")).to_have_text(["One"])


def test_page_mode_is_inline_and_has_no_bell(page: Page, inbox: LiveInbox) -> None:
    inbox.put(*(f"Title {number}" for number in range(50)))
    bell = opened(page, inbox, "mode=page")
    expect(page.get_by_role("region", name="Notifications")).to_be_visible()
    expect(bell).to_be_hidden()
    page.mouse.wheel(0, 100_000)
    expect(page.locator("heliograph-inbox li")).to_have_count(50)
    inbox.deliver("Newest")
    expect(page.locator(".title").first).to_have_text("Newest")
    expect(page.locator(".toast")).to_be_hidden()


def test_empty_inbox_explains_itself(page: Page, inbox: LiveInbox) -> None:
    opened(page, inbox).click()
    expect(page.get_by_text("No notifications yet")).to_be_visible()


def test_hostile_content_is_shown_as_text_and_is_no_link(page: Page, inbox: LiveInbox) -> None:
    markup = "<img src=x onerror=\"document.title='stolen'\"><script>document.title='stolen'</script>"
    urls = [
        "javascript:document.title='stolen'",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "data:text/html,x",
    ]
    for url in urls:
        inbox.put(markup, body=markup, url=url)
    bell = opened(page, inbox)
    inbox.put(markup, body=markup, url=urls[0])
    expect(page.locator(".toast strong")).to_have_text(markup)
    bell.click()
    expect(page.locator(".title").first).to_have_text(markup)
    expect(page.locator(".body").first).to_have_text(markup)
    assert page.locator("heliograph-inbox a, heliograph-inbox img, heliograph-inbox script").count() == 0
    for number in range(len(urls) + 1):
        page.locator(".open").nth(number).click()
    expect(page.locator("li.unread")).to_have_count(0)
    expect(page).to_have_title("Shop")
    assert page.url.startswith(f"{inbox.shop.url}/?")


def test_link_to_another_site_opens_apart_and_gives_it_no_handle(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("Elsewhere", url="https://other.example/x")
    opened(page, inbox).click()
    link = page.get_by_role("link", name="Elsewhere")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_panel_that_is_loaded_when_the_pointer_comes_near_moves_nothing(page: Page, inbox: LiveInbox) -> None:
    bell = opened(page, inbox)
    before = page.locator("heliograph-inbox").bounding_box()
    with page.expect_response("**/dist/panel.js"):
        bell.hover()
    panel = page.locator("heliograph-inbox .panel")
    expect(panel).to_be_attached()
    expect(panel).to_be_hidden()
    assert page.locator("heliograph-inbox").bounding_box() == before


def test_panel_closes_by_a_press_outside_and_the_bell(page: Page, inbox: LiveInbox) -> None:
    bell = opened(page, inbox)
    bell.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    bell.click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    bell.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Outside").click(force=True)
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_panel_is_a_sheet_with_large_targets_on_a_phone(context: BrowserContext, inbox: LiveInbox) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    inbox.deliver("One " + "long" * 40, body="x" * 300)
    opened(page, inbox).click()
    panel = page.get_by_role("dialog")
    expect(page.locator("li.unread")).to_be_visible()
    page.wait_for_timeout(400)  # the sheet slides in
    box = panel.bounding_box()
    assert box is not None
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, 390, 844)
    for target in page.locator("heliograph-inbox").locator("button:visible, a:visible").all():
        size = target.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 44, target.evaluate("element => element.outerHTML")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()


def test_signing_out_forgets_the_entries(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("Private")
    opened(page, inbox, "mode=page")
    expect(page.get_by_text("Private")).to_be_visible()
    page.evaluate("() => { document.querySelector('heliograph-inbox').source = null; }")
    expect(page.get_by_text("Private")).to_have_count(0)
    expect(page.locator("heliograph-inbox")).to_have_js_property("counts", {"unseen": 0, "unread": 0})


def test_times_are_relative_and_renewed(page: Page, inbox: LiveInbox) -> None:
    page.clock.install()
    opened(page, inbox, "mode=page")
    inbox.put("One", at=datetime.fromisoformat(page.evaluate("new Date().toISOString()")))
    expect(page.locator("time")).to_have_text("now")
    page.clock.fast_forward(125_000)
    expect(page.locator("time")).to_have_text(re.compile("2 min"))
