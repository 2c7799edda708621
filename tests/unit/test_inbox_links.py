"""The URL of an inbox entry, which an app opens on a click: a web page, or a path of the app itself."""

import msgspec
import pytest

from shared.content import InappContent

# fmt: off
GOOD = [
    "https://shop.example/orders/7?x=1#y", "http://localhost:3000", "HTTPS://shop.example", "/orders/7?x=1", "/",
    "/a//b", "/a:b", "",
]
BAD = [
    "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x",
    "vbscript:x", "blob:https://a/b", "//evil.example/", "/\\evil.example", "/\t/evil.example", "\\\\evil.example",
    "orders/7",
    "https:evil.example", "https://", "https:///x", "https://a.example/\nx", "/\n", "/\u2028", "mailto:a@b.example",
    "file:///etc/passwd", "\x01javascript:alert(1)", "https:\\\\evil.example", "?x=javascript:1",
]
# fmt: on


@pytest.mark.parametrize("url", GOOD)
def test_web_page_or_path_of_the_app_is_accepted(url: str) -> None:
    assert msgspec.convert({"title": "t", "url": url}, InappContent).url == url


@pytest.mark.parametrize("url", BAD)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"^url must start with https:// or http://, or be a path"):
        msgspec.convert({"title": "t", "url": url}, InappContent)
