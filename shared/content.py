"""The content models, one for each channel type: rendered by the publisher, read by the channel type's function.

A content model is what a template renders to, what a request's ``content`` override must fit, and what travels in the
message.
"""

import re
from typing import Annotated, Any

import msgspec

from shared.sms_text import size_of, utf16_length

# Each character at which a mail header may be split (``str.splitlines``). "$" also matches before a last line feed.
_LINE_BREAKS = r"\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=998, pattern=rf"^[^{_LINE_BREAKS}]*$(?![{_LINE_BREAKS}])")]
Text = Annotated[str, msgspec.Meta(min_length=1)]

SMS_CHARACTERS = 1600
"""What SMS providers accept: Twilio refuses a longer text with its error 21617."""

# FCM accepts 4,096 bytes, including its own overhead for each entry and the notification id that we add.
_PUSH_BYTES = 3800
_PUSH_BYTES_AN_ENTRY = 8
_PUSH_RESERVED = re.compile("from|message_type|google.*|gcm.*", re.DOTALL)
# Firestore's limits, less what the rest of the document needs.
_DOCUMENT_DEPTH = 18
_NAME_BYTES = 1500
_RESERVED_NAME = re.compile("__.*__", re.DOTALL)
# A browser skips tabs and line breaks inside a URL, and reads a backslash as a slash.
_LINK = re.compile(r"(https?://[^\s/\\?#]\S*|/([^\s/\\]\S*)?)?", re.IGNORECASE)
_NOT_A_LINK = "must start with https:// or http://, or be a path that starts with one slash"
_HTTPS = re.compile(r"https://[^\s/\\?#]\S*", re.IGNORECASE)
_INT64 = range(-(2**63), 2**63)


class _Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class EmailContent(_Content, frozen=True):
    """An e-mail. ``subject`` is one line: a line break would let a producer add headers.

    The publisher derives a ``text`` that is absent from ``html``.
    """

    subject: Line
    text: Text
    html: str | None = None


class SmsContent(_Content, frozen=True):
    """A text message, which the network splits into segments."""

    text: Text

    def __post_init__(self) -> None:
        if (length := utf16_length(self.text)) > SMS_CHARACTERS:
            size = size_of(self.text)
            message = (
                f"text has {length} characters ({size.segments} segments in {size.encoding}); providers accept at most"
                f" {SMS_CHARACTERS} characters. An emoji counts as two or more"
            )
            raise ValueError(message)


class PushContent(_Content, frozen=True):
    """A mobile notification. FCM and APNs accept 4 KB in all.

    A tap opens ``link``: a web page, or a path of the app, which the app gets as ``data.link``. ``image`` is an https
    URL. ``data`` reaches the app and is not shown.
    """

    title: Text
    body: str = ""
    image: str | None = None
    link: str | None = None
    data: dict[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        texts = (self.title, self.body, self.image or "", self.link or "", *self.data, *self.data.values())
        if sum(len(text.encode()) for text in texts) + _PUSH_BYTES_AN_ENTRY * len(self.data) > _PUSH_BYTES:
            raise ValueError(f"title, body, image, link and data have {_PUSH_BYTES} bytes together at most")
        if self.image and not is_https(self.image):
            raise ValueError("image must be a URL that starts with https://")
        if self.link is not None and not _is_link(self.link):
            raise ValueError(f"link {_NOT_A_LINK}")
        if self.link and "link" in self.data:
            raise ValueError("data.link is what the app gets for `link`; give one of the two")
        for name in self.data:
            if _PUSH_RESERVED.fullmatch(name):
                raise ValueError(f"data.{name} is a name that Firebase reserves")


class InappContent(_Content, frozen=True):
    """An inbox entry. A click opens ``url``: a web page, or a path of the app. ``data`` is for the application."""

    title: Text
    body: str = ""
    url: str | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.url is not None and not _is_link(self.url):
            raise ValueError(f"url {_NOT_A_LINK}")
        _check_document(self.data, "data", _DOCUMENT_DEPTH)


class WebhookContent(_Content, frozen=True):
    """The JSON body of the webhook request."""

    body: dict[str, Any]


def is_https(text: str) -> bool:
    """Whether ``text`` is an https URL with a host, in printable characters without spaces."""
    return _HTTPS.fullmatch(text) is not None and text.isprintable()


def _is_link(text: str) -> bool:
    return _LINK.fullmatch(text) is not None and text.isprintable()


def _check_document(value: Any, path: str, levels: int) -> None:
    """Raises ``ValueError`` for JSON that a Firestore document cannot hold."""
    if isinstance(value, int) and value not in _INT64:
        raise ValueError(f"{path} is a number of more than 64 bits; send it as text")
    if not isinstance(value, dict | list):
        return
    if levels == 0:
        raise ValueError(f"{path} is nested more than {_DOCUMENT_DEPTH} deep")
    if isinstance(value, dict):
        for name in value:
            if not 0 < len(name.encode()) <= _NAME_BYTES or _RESERVED_NAME.fullmatch(name):
                raise ValueError(f"a name in {path} is empty, over {_NAME_BYTES} bytes, or begins and ends with __")
    elif any(isinstance(child, list) for child in value):
        raise ValueError(f"{path} holds an array directly in an array; put an object between them")
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        _check_document(child, f"{path}.{str(key)[:40]}", levels - 1)


Content = EmailContent | SmsContent | PushContent | InappContent | WebhookContent
