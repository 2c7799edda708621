"""A page with the web component, and a browser that opens it."""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.browser.inbox_server import scripted_inbox
from tests.browser.scripted_inbox import ScriptedInbox

WAIT_S = 15.0


def document(attributes: str) -> str:
    """A page whose policy forbids inline styles and HTML from text: the component must need neither."""
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Shop</title>
<main><h1>Shop</h1><button>Outside</button>
<heliograph-inbox {attributes.replace("&", " ")}></heliograph-inbox></main>
<script type="module" nonce="test">
import {{ liveSource }} from "/dist/index.js";
const getToken = async () => (await fetch("/token")).json();
document.querySelector("heliograph-inbox").source = liveSource("", getToken, {{ user: "ada" }});
</script></html>"""


@pytest.fixture
def inbox() -> Iterator[ScriptedInbox]:
    with scripted_inbox(document) as scripted:
        yield scripted


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
        page.wait_for_timeout(20)


def opened(page: Page, inbox: ScriptedInbox, attributes: str = "") -> Locator:
    """Open the page with the component, and wait until it is connected. Returns its bell."""
    streams = len(inbox.resumed_after)
    page.goto(f"{inbox.url}/?{attributes}")
    wait_until(page, lambda: len(inbox.resumed_after) > streams, "the component to connect")
    page.wait_for_timeout(100)  # so that the snapshot is there, and what is delivered next is an arrival
    return page.locator("heliograph-inbox .bell")
