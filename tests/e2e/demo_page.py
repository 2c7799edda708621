"""The demo page of the running stack, and what a user does on it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.browser.conftest import browser
from tests.e2e.stack_driver import StackDriver

__all__ = ["browser"]  # a fixture


@pytest.fixture
def page(browser: Browser, driver: StackDriver) -> Iterator[Page]:
    """The page, just opened. It must raise no error, and must not break its content-security policy."""
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if breaks_the_policy(message.text) else None)
    page.goto(driver.stack.config.demo_url)
    yield page
    page.close()
    assert errors == [], errors


def breaks_the_policy(message: str) -> bool:
    """Whether the browser says so. An image is expected, with which Google's SDK tests whether there is a network."""
    return "Security Policy" in message and "www.google.com/images/cleardot.gif" not in message


def send(page: Page, title: str, *channels: str) -> None:
    """Send by the form: in-app, and over ``channels``."""
    for channel in channels:
        page.get_by_label(channel, exact=True).check()
    page.get_by_role("textbox", name="Title").fill(title)
    page.get_by_role("button", name="Send", exact=True).click()


def entry(page: Page, title: str) -> Locator:
    """The entry with this title in the inbox beside the form."""
    return page.locator("#inbox li", has_text=title)
