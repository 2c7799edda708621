"""A page with the web component in Chromium, over a running publisher and worker."""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from functions.postgres.inbox import PostgresInbox
from postgres.pool import make_pool
from tests.browser.installation import Installation
from tests.browser.live_inbox import LiveInbox
from tests.browser.shop import Shop

WAIT_S = 20.0

expect.set_options(timeout=WAIT_S * 1000)


@pytest.fixture
def inbox(installation: Installation, shop: Shop) -> Iterator[LiveInbox]:
    """The inbox of a new user, who is signed in at the shop."""
    with make_pool(installation.settings.database_url, 4, always_autocommit=True) as pool:
        inbox = LiveInbox(installation.publisher, installation=installation, shop=shop, store=PostgresInbox(pool))
        shop.tokens = installation.publisher.inbox_token
        yield inbox
        inbox.http.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that must raise no error, and must not break its content-security policy."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "Security Policy" in message.text else None)
    yield page
    assert errors == []


def wait_until(page: Page, look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not look():
        assert time.monotonic() < deadline, f"Waited {WAIT_S:g} s for {what}."
        page.wait_for_timeout(50)


def visit(page: Page, inbox: LiveInbox, attributes: str = "", host: str = "127.0.0.1") -> Locator:
    """Open the shop's page as the owner of the inbox. Returns the bell."""
    page.goto(f"http://{host}:{inbox.shop.server_port}/?user={inbox.user_id}&{attributes}")
    return page.locator("heliograph-inbox .bell")


def opened(page: Page, inbox: LiveInbox, attributes: str = "") -> Locator:
    """Open the page, and wait for the first entries: what is delivered after that is an arrival. Returns the bell."""
    bell = visit(page, inbox, attributes)
    expect(page.locator("html[data-received]")).to_be_attached()
    return bell
