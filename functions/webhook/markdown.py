"""Texts for services that read Markdown: what a text says is shown, and formats, links and mentions nothing.

An address keeps its meaning: a backslash would become part of it, so its special characters are percent-encoded.
"""

import re

_ADDRESS = r"(?P<address>https?://[^\s<]+)"
# Where a line begins: a heading, a list, a quotation. A list also begins with a number and a dot or a bracket.
_LINE_START = r"^(?P<indent>[ \t]*)(?:(?P<start>[-+#>])|(?P<number>\d+)(?=[.)]\s))"


class Markdown:
    """``special`` matches the characters that a service reads anywhere, and ``in_address`` those within an address."""

    def __init__(self, special: str, in_address: str) -> None:
        self._special = re.compile(rf"{_ADDRESS}|{_LINE_START}|{special}", re.MULTILINE)
        self._in_address = re.compile(in_address)

    def escaped(self, text: str) -> str:
        """``text`` with a backslash before each character that the service would read as Markdown."""
        return self._special.sub(self._replacement, text)

    def _replacement(self, found: re.Match[str]) -> str:
        if address := found["address"]:
            return self._in_address.sub(lambda character: f"%{ord(character[0]):02X}", address)
        if number := found["number"]:
            return f"{found['indent']}{number}\\"
        return f"{found['indent'] or ''}\\{found['start'] or found[0]}"


DISCORD = Markdown(special=r"[\\*_~`|\[\]<@]", in_address=r"\*")
"""Discord reads no Markdown in an address, except for the end of a bold title."""
TEAMS = Markdown(special=r"[\\*_~`\[\]<]|(?<=\{)\{|&(?=#?\w+;)", in_address=r"[\\*_`\[\]]")
"""The subset of CommonMark in a TextBlock, its functions (``{{DATE(…)}}``), and references such as ``&lt;``."""
