"""The web component <heliograph-inbox>: whose entries it shows. Tokens, users and origins."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.inbox_pages import context, inbox, opened, page, visit, wait_until
from tests.browser.live_inbox import LiveInbox
from tests.publisher.own_inbox import new_user, signed_token

__all__ = ["context", "inbox", "page"]  # fixtures

pytestmark = pytest.mark.browser

OTHER_SECRET = "x" * 32
REFUSED = {
    "of another secret": signed_token("ada", 60, OTHER_SECRET),
    "of another issuer": signed_token("ada", 60, iss="https://evil.example"),
    "for another audience": signed_token("ada", 60, aud="shop"),
    "expired": signed_token("ada", -1),
    "no token": "no token",
}
ENDED = "Your session has ended."
ORIGIN_REFUSED = {
    "en": "address is not allowed to show your notifications.",
    "de": "Die Adresse dieser Website darf Ihre Mitteilungen nicht anzeigen.",
    "ar": "عنوان هذا الموقع غير مسموح له بعرض إشعاراتك.",
}


def test_another_user_sees_nothing_of_an_inbox(page: Page, context: BrowserContext, inbox: LiveInbox) -> None:
    inbox.deliver("Private")
    eve = LiveInbox(inbox.publisher, new_user(), installation=inbox.installation, shop=inbox.shop, store=inbox.store)
    other = context.new_page()
    opened(other, eve, "mode=page&badge=unread")
    opened(page, inbox, "mode=page")
    inbox.deliver("Private too")
    expect(page.locator(".title")).to_have_text(["Private too", "Private"])
    page.get_by_role("button", name="Private too").first.click()
    page.get_by_role("button", name="Archive “Private”").click()
    wait_until(page, lambda: inbox.counts() == (0, 0), "the marks")
    eve.deliver("Hello Eve")
    expect(other.locator(".title")).to_have_text(["Hello Eve"])
    expect(other.locator("heliograph-inbox")).to_have_js_property("counts", {"unseen": 0, "unread": 1})
    assert "Private" not in other.locator("heliograph-inbox .root").inner_text()
    assert eve.counts()[1] == 1
    eve.http.close()


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED)
def test_refused_token_shows_no_entry_and_says_that_the_session_ended(page: Page, inbox: LiveInbox, token: str) -> None:
    inbox.shop.tokens = lambda _user: token
    visit(page, inbox, "mode=page")
    expect(page.get_by_text(ENDED)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-states", " refused")
    expect(page.locator("heliograph-inbox li")).to_have_count(0)
    expect(page.get_by_text("No notifications yet")).to_be_hidden()


def test_page_of_an_origin_that_is_not_listed_says_so_and_how_to_allow_it(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("Private")
    errors: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("request", lambda request: requests.append(request.url))
    visit(page, inbox, "mode=page", host="localhost")
    for lang, text in ORIGIN_REFUSED.items():
        page.locator("heliograph-inbox").evaluate("(inbox, lang) => inbox.setAttribute('lang', lang)", lang)
        expect(page.get_by_text(text)).to_be_visible()
    origin = page.evaluate("location.origin")
    assert any(f"Add {origin} to INBOX_ORIGINS" in error for error in errors), errors
    expect(page.locator("heliograph-inbox li")).to_have_count(0)
    page.wait_for_timeout(2_500)  # the first two tries after a lost connection would be over
    assert len([url for url in requests if url.endswith("/v1/inbox/live")]) == 1


def test_expired_token_is_renewed(page: Page, inbox: LiveInbox) -> None:
    inbox.shop.tokens = lambda user: signed_token(user, 2)
    opened(page, inbox)
    inbox.shop.tokens = inbox.publisher.inbox_token
    with page.expect_response("**/v1/inbox/live") as renewed:
        pass
    assert renewed.value.status == 200
    inbox.deliver("One")
    expect(page.locator(".badge")).to_have_text("1")


def test_session_that_ended_can_be_tried_again(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("One")
    inbox.shop.tokens = lambda user: signed_token(user, 2)
    opened(page, inbox, "mode=page")
    inbox.shop.tokens = lambda user: signed_token(user, 60, OTHER_SECRET)
    expect(page.get_by_text(ENDED)).to_be_visible()
    expect(page.locator(".title")).to_have_text(["One"])
    inbox.shop.tokens = inbox.publisher.inbox_token
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text(ENDED)).to_be_hidden()
    inbox.deliver("Two")
    expect(page.locator(".title")).to_have_text(["Two", "One"])
