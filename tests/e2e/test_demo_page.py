"""The demo page in Chromium: a newcomer clicks, and a notification arrives in the inbox beside."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import browser
from tests.e2e.internals import postgres_only, self_hosted_only
from tests.e2e.stack_driver import StackDriver

__all__ = ["browser"]  # a fixture

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


@pytest.fixture
def page(browser: Browser, driver: StackDriver) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(driver.stack.config.demo_url)
    yield page
    page.close()


def send(page: Page, title: str, *channels: str) -> None:
    for channel in channels:
        page.get_by_label(channel, exact=True).check()
    page.get_by_role("textbox", name="Title").fill(title)
    page.get_by_role("button", name="Send", exact=True).click()


@self_hosted_only
def test_notification_that_is_sent_arrives_beside_the_form_and_shows_what_became_of_it(page: Page) -> None:
    send(page, "Arrived live", "E-mail")
    expect(page.locator("#inbox").get_by_text("Arrived live").first).to_be_visible()
    expect(page.locator("#bell .badge")).to_be_visible()
    expect(page.locator("#result li .sent")).to_have_count(2)


@postgres_only
def test_template_gives_the_notification_its_words(page: Page) -> None:
    page.get_by_role("combobox", name="Template").select_option("demo-receipt")
    send(page, "Order 17")
    expect(page.locator("#inbox").get_by_text("Receipt: Order 17").first).to_be_visible()


@self_hosted_only
def test_entry_that_is_read_here_is_read_in_the_other_tab(page: Page, browser: Browser, driver: StackDriver) -> None:
    other = browser.new_page()
    other.goto(driver.stack.config.demo_url)
    send(page, "Read me once")
    entry = other.locator("#inbox li", has_text="Read me once")
    expect(entry).to_have_class(re.compile("unread"))
    page.locator("#inbox li", has_text="Read me once").locator("a, button").first.click()
    expect(entry).not_to_have_class(re.compile("unread"))
    other.close()


@postgres_only
def test_demo_serves_neither_other_sites_nor_other_host_names(driver: StackDriver) -> None:
    config = driver.stack.config
    url = f"{config.sandbox_url}/demo/token"
    assert httpx.post(url, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert httpx.post(url, headers={"Host": f"evil.example:{config.ports.sandbox}"}).status_code == 403
    assert httpx.post(url).json()["user_id"] == "ada"
