"""The demo page in Chromium: a newcomer clicks, and a notification arrives in the inbox beside."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.demo_page import browser, entry, page, send
from tests.e2e.internals import every_profile, postgres_only
from tests.e2e.stack_driver import StackDriver

__all__ = ["browser", "page"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


@every_profile
def test_notification_that_is_sent_arrives_beside_the_form_and_shows_what_became_of_it(page: Page) -> None:
    send(page, "Arrived live", "E-mail")
    expect(entry(page, "Arrived live").first).to_be_visible(timeout=20_000)  # google: functions import at first use
    expect(page.locator("#bell .badge")).to_be_visible()
    expect(page.locator("#result li .sent")).to_have_count(2)


def test_sandbox_shows_the_in_app_notification_as_one_more_channel_type(page: Page) -> None:
    send(page, "Also in the sandbox", "SMS")
    expect(page.locator("#result li .sent")).to_have_count(2, timeout=20_000)
    page.get_by_role("link", name="Sandbox").click()
    page.get_by_role("button", name="In-app").click()
    shown = page.locator(".arrival:visible", has_text="Also in the sandbox")  # an earlier test's may arrive late
    expect(shown).to_have_count(1)
    expect(shown.get_by_role("heading", name="In-app")).to_be_visible()
    expect(shown.locator(".subject")).to_have_text("Also in the sandbox")
    expect(shown.locator(".to")).to_have_text("to ada")


@postgres_only
def test_template_gives_the_notification_its_words(page: Page) -> None:
    page.get_by_role("combobox", name="Template").select_option("demo-receipt")
    send(page, "Order 17")
    expect(entry(page, "Receipt: Order 17").first).to_be_visible()


def test_entry_that_is_read_here_is_read_in_the_other_tab(page: Page, browser: Browser, driver: StackDriver) -> None:
    other = browser.new_page()
    other.goto(driver.stack.config.demo_url)
    send(page, "Read me once")
    there = entry(other, "Read me once")
    expect(there).to_have_class(re.compile("unread"))
    entry(page, "Read me once").locator("a, button").first.click()
    expect(there).not_to_have_class(re.compile("unread"))
    other.close()


def test_counts_are_exact_in_every_tab(page: Page, browser: Browser, driver: StackDriver) -> None:
    other = browser.new_page()
    other.goto(driver.stack.config.demo_url)
    tabs = [each.locator("#inbox").get_by_role("tab", name="Unread") for each in (page, other)]
    send(page, "First to count")
    expect(entry(page, "First to count")).to_be_visible()
    page.locator("#inbox").get_by_role("button", name="Mark all as read").click()
    for tab in tabs:
        expect(tab).to_have_text("Unread")

    send(page, "Second to count")
    for tab in tabs:
        expect(tab).to_have_text("Unread 1")
    counted = driver.api.get("/v1/notifications/unread_count", params={"user_id": "ada"})
    assert counted.json()["unread"] == 1
    other.close()


@postgres_only
def test_demo_serves_neither_other_sites_nor_other_host_names(driver: StackDriver) -> None:
    config = driver.stack.config
    url = f"{config.sandbox_url}/demo/token"
    assert httpx.post(url, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert httpx.post(url, headers={"Host": f"evil.example:{config.ports.sandbox}"}).status_code == 403
    assert httpx.post(url).json()["user_id"] == "ada"
