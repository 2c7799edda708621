"""What a channel says, by kind: rendered by the publisher, read by the channel's function.

Each shape is at once what a template renders to, what a request's ``content`` override must be, and what travels in the
envelope, so there is one place where a new channel's words are declared.
"""

from typing import Annotated, Any

import msgspec

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=998, pattern=r"^[^\r\n]*$")]
Text = Annotated[str, msgspec.Meta(min_length=1)]


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
    """A mobile notification; ``data`` reaches the app unshown (the whole must stay under the platforms' 4 KB)."""

    title: Text
    body: str = ""
    data: dict[str, str] = msgspec.field(default_factory=dict)


class InappContent(_Content, frozen=True):
    """An entry of the inbox; ``url`` is where a click leads, ``data`` is for the application."""

    title: Text
    body: str = ""
    url: str | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class WebhookContent(_Content, frozen=True):
    """The JSON body of the request to the receiver."""

    body: dict[str, Any]


Content = EmailContent | SmsContent | PushContent | InappContent | WebhookContent

CONTENT_OF_KIND: dict[str, type[Content]] = {
    "email": EmailContent,
    "inapp": InappContent,
    "push": PushContent,
    "sms": SmsContent,
    "webhook": WebhookContent,
}
