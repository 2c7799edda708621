"""What a channel says, by kind: rendered by the publisher, read by the channel's function.

Each shape is at once what a template renders to, what a request's ``content`` override must be, and what travels in the
envelope, so there is one place where a new channel's words are declared.
"""

import re
from typing import Annotated, Any

import msgspec

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=998, pattern=r"^[^\r\n]*$")]
Text = Annotated[str, msgspec.Meta(min_length=1)]

# FCM takes 4,096 bytes with what it puts around each entry, and with the notification's id that we add.
_PUSH_BYTES = 3800
_PUSH_BYTES_AN_ENTRY = 8
_PUSH_RESERVED = re.compile("from|message_type|google.*|gcm.*", re.DOTALL)
# Firestore's limits, a little under where the rest of the document is beside it.
_DOCUMENT_DEPTH = 18
_NAME_BYTES = 1500
_RESERVED_NAME = re.compile("__.*__", re.DOTALL)
_INT64 = range(-(2**63), 2**63)


class _Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class EmailContent(_Content, frozen=True):
    """An e-mail. ``subject`` is one line (a line break would let a producer add headers); ``html`` goes beside
    ``text``.
    """

    subject: Line
    text: Text
    html: str | None = None


class SmsContent(_Content, frozen=True):
    """A text message of up to ten segments (1,600 characters is the providers' limit)."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1600)]


class PushContent(_Content, frozen=True):
    """A mobile notification; ``data`` reaches the app unshown. FCM and APNs take 4 KB of it all."""

    title: Text
    body: str = ""
    data: dict[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        texts = (self.title, self.body, *self.data, *self.data.values())
        if sum(len(text.encode()) for text in texts) + _PUSH_BYTES_AN_ENTRY * len(self.data) > _PUSH_BYTES:
            raise ValueError(f"title, body and data may have {_PUSH_BYTES} bytes together: phones are sent no more")
        for name in self.data:
            if _PUSH_RESERVED.fullmatch(name):
                raise ValueError(f"data.{name} is a name that Firebase keeps for itself")


class InappContent(_Content, frozen=True):
    """An entry of the inbox; ``url`` is where a click leads, ``data`` is for the application."""

    title: Text
    body: str = ""
    url: str | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_document(self.data, "data", _DOCUMENT_DEPTH)


class WebhookContent(_Content, frozen=True):
    """The JSON body of the request to the receiver."""

    body: dict[str, Any]


def _check_document(value: Any, path: str, levels: int) -> None:
    """Raises ``ValueError`` for what JSON can say and a document of Firestore cannot hold."""
    if isinstance(value, int) and value not in _INT64:
        raise ValueError(f"{path} is a number of more than 64 bits; send it as a text")
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

CONTENT_OF_KIND: dict[str, type[Content]] = {
    "email": EmailContent,
    "inapp": InappContent,
    "push": PushContent,
    "sms": SmsContent,
    "webhook": WebhookContent,
}
