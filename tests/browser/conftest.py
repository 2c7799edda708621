"""Chromium, and what the tests of the inbox component run on."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from publisher_api.inbox.settings import InboxSettings
from publisher_api.settings import Settings
from shared.profile import Profile
from tests.browser import shop as web_app
from tests.browser.installation import Installation
from tests.browser.shop import Shop
from tests.conftest import NewDatabase
from tests.publisher.own_inbox import INBOX

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for one module: while it runs, Playwright holds this thread's event loop."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not on the PATH (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def shop() -> Iterator[Shop]:
    with web_app.running() as shop:
        yield shop


@pytest.fixture(scope="package")
def installation(
    new_database: NewDatabase, shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """A publisher and a worker on a database of their own. A test that kills the publisher starts it again."""
    with new_database("browser") as url:
        inbox = InboxSettings(token_secret=INBOX.token_secret, origins=frozenset({shop.url}))
        settings = Settings(database_url=url, profile=Profile.POSTGRES, inbox=inbox)
        with Installation(settings, tmp_path_factory.mktemp("installation")).running() as installation:
            shop.publisher_url = installation.url
            yield installation
