"""A delivery as a mail message (RFC 5322)."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from shared.content import EmailContent
from shared.envelope import Delivery


def mail_of(delivery: Delivery, sender: str) -> EmailMessage:
    """The mail. It is the same at every attempt, including its Message-ID, so that mailboxes can drop a duplicate."""
    content = delivery.content_as(EmailContent)
    domain = parseaddr(sender)[1].rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = delivery.recipient
    mail["Subject"] = content.subject
    mail["Date"] = format_datetime(delivery.created_at)
    mail["Message-ID"] = f"<{delivery.key}@{domain}>"
    mail.set_content(content.text)
    if content.html:
        mail.add_alternative(content.html, subtype="html")
    return mail
