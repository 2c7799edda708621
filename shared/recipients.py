"""Addresses of people, made fit for logs and timelines."""


def redact(kind: str, recipient: str) -> str:
    """``recipient`` with enough left to recognise it by, and too little to write to.

    >>> redact("email", "ada@example.com"), redact("sms", "+447700900123")
    ('a***@example.com', '+44***123')
    """
    match kind:
        case "email":
            name, _, domain = recipient.rpartition("@")
            return f"{name[:1]}***@{domain}"
        case "sms":
            return f"{recipient[:3]}***{recipient[-3:]}"
        case "webhook":
            scheme, _, rest = recipient.partition("://")
            host = rest.partition("/")[0].rpartition("@")[2]
            return f"{scheme}://{host}/***"
        case "inapp":
            return recipient
        case _:
            return f"{recipient[:6]}***"
