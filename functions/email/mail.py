"""A delivery as a mail message (RFC 5322)."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from functions.email.sender import Sender
from shared.content import EmailContent
from shared.envelope import Delivery


def mail_of(delivery: Delivery, sender: Sender, sent_at: datetime) -> EmailMessage:
    """The mail. Its Message-ID is the same at every attempt, so that mailboxes can drop a duplicate.

    ``sent_at`` becomes its Date, and not the time of the event, which may lie months back: mailboxes sort by it.
    """
    content = delivery.content_as(EmailContent)
    domain = parseaddr(sender.address)[1].rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender.address
    if sender.reply_to:
        mail["Reply-To"] = sender.reply_to
    mail["To"] = delivery.recipient
    mail["Subject"] = content.subject
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = f"<{delivery.key}@{domain}>"
    mail.set_content(content.text)
    if content.html:
        mail.add_alternative(content.html, subtype="html")
    return mail
