"""The web component <heliograph-inbox> on a page whose origin is not that of a real publisher."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from publisher_api.settings import Settings
from publisher_api.web.inbox_tokens import InboxTokens
from shared.profile import Profile
from tests.browser.inbox_pages import document
from tests.browser.inbox_server import scripted_inbox
from tests.publisher.own_inbox import INBOX, new_user, now
from tests.publisher.running import serving

pytestmark = pytest.mark.browser


TEXTS = {
    "en": "address is not allowed to show your notifications.",
    "de": "Die Adresse dieser Website darf Ihre Mitteilungen nicht anzeigen.",
    "ar": "عنوان هذا الموقع غير مسموح له بعرض إشعاراتك.",
}


@contextmanager
def on_a_page(browser: Browser, postgres_url: str, *, listed: bool) -> Iterator[tuple[Page, str]]:
    """A page, and its origin: the publisher that it will listen to has the origin in INBOX_ORIGINS, or not."""
    publisher = ""

    def page_of(attributes: str) -> str:
        return document(attributes).replace('liveSource(""', f'liveSource("{publisher}"')

    with scripted_inbox(page_of) as scripted:
        origins = frozenset({scripted.url if listed else "https://shop.example"})
        settings = Settings(database_url=postgres_url, profile=Profile.POSTGRES, inbox=replace(INBOX, origins=origins))
        with serving(settings) as publisher:
            scripted.issued, _ = InboxTokens(INBOX, now).issue(new_user())
            context = browser.new_context(bypass_csp=True)  # the page's own policy allows no other host
            yield context.new_page(), scripted.url
            context.close()


def test_page_of_a_listed_origin_shows_the_inbox(browser: Browser, postgres_url: str) -> None:
    with on_a_page(browser, postgres_url, listed=True) as (page, origin):
        page.goto(f"{origin}/?mode=page")
        expect(page.get_by_text("No notifications yet")).to_be_visible()


def test_page_of_another_origin_says_that_it_is_refused_and_how_to_allow_it(
    browser: Browser, postgres_url: str
) -> None:
    with on_a_page(browser, postgres_url, listed=False) as (page, origin):
        errors: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message: errors.append(message.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{origin}/?mode=page")
        for lang, text in TEXTS.items():
            page.locator("heliograph-inbox").evaluate("(inbox, lang) => inbox.setAttribute('lang', lang)", lang)
            expect(page.get_by_text(text)).to_be_visible()
        assert any(f"Add {origin} to INBOX_ORIGINS" in error for error in errors), errors
        page.wait_for_timeout(2_500)  # the first two tries after a lost connection would be over
        assert len([url for url in requests if url.endswith("/v1/inbox/live")]) == 1
