"""A delivery as the JSON that SendGrid takes (``POST /v3/mail/send``)."""

from email.utils import parseaddr

from functions.email.sender import Sender
from shared.content import EmailContent
from shared.envelope import Delivery


def message_of(delivery: Delivery, sender: Sender) -> dict[str, object]:
    """The e-mail. Raises ``Undecodable`` if the content is not that of an e-mail."""
    content = delivery.content_as(EmailContent)
    bodies = [{"type": "text/plain", "value": content.text}]
    if content.html:
        bodies.append({"type": "text/html", "value": content.html})
    # SendGrid returns these ids with each of its events, so that an event can be assigned to its delivery.
    ids = {"notification_id": delivery.notification_id, "delivery_id": delivery.delivery_id}
    return {
        "personalizations": [{"to": [{"email": delivery.recipient}], "custom_args": ids}],
        "from": _mailbox(sender.address),
        **({"reply_to": _mailbox(sender.reply_to)} if sender.reply_to else {}),
        "subject": content.subject,
        "content": bodies,
    }


def _mailbox(text: str) -> dict[str, str]:
    name, address = parseaddr(text)
    return {"email": address, **({"name": name} if name else {})}
