"""The plain text of an HTML document, for a mail whose template gives HTML only.

Python's own parser reads the HTML. Mail clients show the text where they show no HTML, and filters compare the two.
"""

import re
from html.parser import HTMLParser

from publisher_api.planning.template_limits import check_time

_HIDDEN = frozenset({"head", "script", "style", "template", "title"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_LINES = frozenset({"address", "br", "dd", "div", "dt", "figcaption", "figure", "form", "hr", "li", "tr"})
_PARAGRAPHS = frozenset(
    {"article", "blockquote", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "ol", "p", "pre", "section"}
    | {"table", "ul"}
)
_CELLS = frozenset({"td", "th"})
_INVISIBLE = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def text_of(html: str) -> str:
    """What a reader sees of ``html``: paragraphs as paragraphs, links with their addresses; empty if there is nothing.

    Raises ``ValueError`` for a document that cannot be read, and ``SecurityError`` when the time is used up.
    """
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except AssertionError as error:  # what Python's parser raises for a declaration that it does not know
        raise ValueError(str(error)) from None
    return _laid_out("".join(reader.parts))


class _Reader(HTMLParser):
    """Collects what is visible, with a line break in it for each end of a line, and two for each end of a paragraph."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: str | None = None
        self._depth = 0  # how many elements of the hidden one's name are open
        self._link: tuple[str, int] | None = None  # where the open link leads, and where its text begins

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        check_time()
        given = dict(attrs)
        if self._hidden and tag != "body":
            self._depth += tag == self._hidden
        elif tag not in _VOID and (tag in _HIDDEN or _INVISIBLE.search(given.get("style") or "")):
            self._hidden, self._depth = tag, 1
        else:
            self._hidden = None
            self._open(tag, given)

    def handle_endtag(self, tag: str) -> None:
        check_time()
        if self._hidden is None:
            self._close(tag)
        elif tag == self._hidden:
            self._depth -= 1
            self._hidden = self._hidden if self._depth else None

    def handle_data(self, data: str) -> None:
        check_time()
        text = _SPACE.sub(" ", data)
        if self._hidden is None and not (text == " " and self._at_line_start):
            self.parts.append(text)

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 - the parser's signature
        check_time()

    def _open(self, tag: str, given: dict[str, str | None]) -> None:
        self._break(tag)
        if tag == "li":
            self.parts.append("- ")
        elif tag == "img":
            self.parts.append(_SPACE.sub(" ", given.get("alt") or ""))
        elif tag == "a":
            self._link = (given.get("href") or "", len(self.parts))

    def _close(self, tag: str) -> None:
        if tag == "a" and self._link:
            (address, start), self._link = self._link, None
            shown = "".join(self.parts[start:]).strip()
            if address.lower().startswith(("https://", "http://")) and shown not in ("", address):
                self.parts.append(f" ({_SPACE.sub('', address)})")
        if tag in _CELLS:
            self.parts.append(" ")
        self._break(tag)

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag == "br" or (tag in _LINES and not self._at_line_start):
            self.parts.append("\n")

    @property
    def _at_line_start(self) -> bool:
        return not self.parts or self.parts[-1].endswith("\n")


def _laid_out(text: str) -> str:
    """``text`` without spaces at the edges of its lines, and with one empty line between paragraphs at most."""
    lines: list[str] = []
    for line in (" ".join(each.split()) for each in text.split("\n")):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip()
