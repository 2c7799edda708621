"""The plain text of an HTML document, for a mail whose template gives HTML only.

Python's own parser reads the HTML. Mail clients show the text where they show no HTML, and filters compare the two.
"""

import re
from collections import Counter
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
# Their end tags end no other element.
_FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
_IN_HEAD = frozenset({"base", "head", "html", "link", "meta", "noscript", "script", "style", "template", "title"})
_AFTER_PARAGRAPH = (_LINES - {"br", "tr"}) | _PARAGRAPHS | {"aside", "center", "dl", "fieldset", "main", "nav"}
_ROW_GROUPS = frozenset({"tbody", "tfoot", "thead"})
_TABLES = frozenset({"table", "template"})
# HTML lets an end tag out before some start tags: start tag → (the elements that it ends, where their search ends)
_OMITTED_ENDS = {
    **dict.fromkeys(_AFTER_PARAGRAPH, ({"p"}, _TABLES | _CELLS | {"button", "caption"})),
    "li": ({"li", "p"}, _TABLES | _CELLS | {"ol", "ul"}),
    **dict.fromkeys(("dd", "dt"), ({"dd", "dt", "p"}, _TABLES | _CELLS | {"dl"})),
    **dict.fromkeys(_CELLS, (_CELLS, _TABLES)),
    "tr": (_CELLS | {"tr"}, _TABLES),
    **dict.fromkeys(_ROW_GROUPS, (_CELLS | _ROW_GROUPS | {"tr"}, _TABLES)),
}
_NO_ENDS: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
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
        self._elements: list[str] = []  # those that are open, without visible formatting
        self._count: Counter[str] = Counter()  # of the same
        self._hidden_at: int | None = None  # where the hidden element is among them
        self._link: tuple[str, int] | None = None  # where the open link leads, and where its text begins

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        check_time()
        self._end_what_has_no_end_tag(tag)
        given = dict(attrs)
        visible = self._hidden_at is None
        hides = tag not in _VOID and (tag in _HIDDEN or bool(_INVISIBLE.search(given.get("style") or "")))
        if visible and hides:
            self._hidden_at = len(self._elements)
        elif visible:
            self._open(tag, given)
        if tag not in _VOID and (hides or not visible or tag not in _FORMATTING):
            self._elements.append(tag)
            self._count[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        check_time()
        hidden_at = self._hidden_at
        if self._count.get(tag):
            self._keep(len(self._elements) - 1 - self._elements[::-1].index(tag))
        if hidden_at is None or len(self._elements) < hidden_at:
            self._close(tag)

    def _end_what_has_no_end_tag(self, tag: str) -> None:
        """End the elements that the start of ``tag`` ends."""
        if self._count.get("head") and tag not in _IN_HEAD and not self._count.get("template"):
            self._keep(self._elements.index("head"))
        ended, boundaries = _OMITTED_ENDS.get(tag, _NO_ENDS)
        if any(map(self._count.get, ended)):
            kept = len(self._elements)
            for index in range(kept - 1, -1, -1):
                if self._elements[index] in boundaries:
                    break
                if self._elements[index] in ended:
                    kept = index
            self._keep(kept)

    def _keep(self, length: int) -> None:
        """End all open elements but the first so many."""
        for tag in self._elements[length:]:
            self._count[tag] -= 1
        del self._elements[length:]
        if self._hidden_at is not None and length <= self._hidden_at:
            self._hidden_at = None

    def handle_data(self, data: str) -> None:
        check_time()
        text = _SPACE.sub(" ", data)
        if self._hidden_at is None and not (text == " " and self._at_line_start):
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
