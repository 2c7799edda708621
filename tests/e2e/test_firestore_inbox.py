"""``firestoreSource`` over Google's web SDK and the Firestore emulator, in Chromium on the demo page."""

import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo_page import browser, entry, page, send
from tests.e2e.internals import google_only
from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually

__all__ = ["browser", "page"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.browser, google_only]

MANY = 1_000
SHOW = """async ({ reader, owner, token, settings }) => {
    const { firestoreSource } = await import("/inbox/firestore.js");
    const sdk = await import("/firestore/firestore.js");
    const { project, host, port } = settings.firestore;
    const db = sdk.getFirestore(sdk.initializeApp({ projectId: project }, reader));
    sdk.connectFirestoreEmulator(db, host, port, { mockUserToken: { sub: reader, user_id: reader } });
    document.querySelector("#inbox").source =
        firestoreSource(db, owner, { url: settings.publisher_url, getToken: () => token, sdk });
}"""


def show(page: Page, driver: StackDriver, *, owner: str, reader: str) -> None:
    """Let the inbox on the page listen to that of ``owner``, signed in as ``reader``."""
    token = driver.api.post(f"/v1/users/{reader}/inbox_token").raise_for_status().json()["token"]
    settings = driver.sandbox.get("/demo/settings").json()
    page.evaluate(SHOW, {"reader": reader, "owner": owner, "token": token, "settings": settings})


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex}"


def test_stranger_reads_nothing(page: Page, driver: StackDriver) -> None:
    send(page, "For Ada only")
    expect(entry(page, "For Ada only")).to_be_visible(timeout=20_000)

    show(page, driver, owner="ada", reader=unique("eve"))

    expect(page.get_by_text("Your session has ended.")).to_be_visible(timeout=30_000)
    expect(page.locator("#inbox li")).to_have_count(0)


def test_arrivals_of_a_lost_connection_come_when_it_is_back(page: Page, driver: StackDriver) -> None:
    send(page, "Before the tunnel")
    expect(entry(page, "Before the tunnel")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text("Reconnecting …")).to_be_visible()
    driver.send("inapp", user_id="ada", content={"inapp": {"title": "In the tunnel"}})
    page.context.set_offline(False)
    expect(entry(page, "In the tunnel")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Reconnecting …")).to_be_hidden()


def test_a_thousand_entries_can_be_scrolled(page: Page, driver: StackDriver) -> None:
    owner = unique("grace")
    titles = [f"Title {number}" for number in range(MANY)]
    each = {"user_id": owner, "event_type": "many", "channels": ["inapp"], "payload": {}}
    batch = [{**each, "content": {"inapp": {"title": title}}} for title in titles]
    driver.api.post("/v1/notifications/batch", json={"notifications": batch}).raise_for_status()
    eventually(lambda: len(driver.internals.inbox(owner)) == MANY, "all entries to be in Firestore")

    show(page, driver, owner=owner, reader=owner)
    rows = page.locator("#inbox li")
    expect(page.locator("#inbox").get_by_role("tab", name="Unread")).to_have_text(f"Unread {MANY:,}")

    def all_loaded() -> bool:
        page.locator("#inbox .more").evaluate("more => more.scrollIntoView()")
        page.wait_for_timeout(20)
        return rows.count() >= MANY

    eventually(all_loaded, "all pages")
    assert sorted(page.locator("#inbox .title").all_text_contents()) == sorted(titles)

    driver.send("inapp", user_id=owner, content={"inapp": {"title": "The newest"}})
    expect(page.locator("#inbox .title").first).to_have_text("The newest")
