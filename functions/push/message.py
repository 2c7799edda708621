"""The message that Firebase gets for a delivery."""

from datetime import datetime, timedelta

from firebase_admin import messaging

from shared.content import PushContent
from shared.envelope import Delivery


def message_of(delivery: Delivery, now: datetime) -> messaging.Message:
    """The message for one device, which expires when the delivery does.

    Without a time to live FCM tries for four weeks. Raises ``Undecodable``.
    """
    content = delivery.content_as(PushContent)
    left = max(timedelta(), delivery.expires_at - now)
    link = {"link": content.link} if content.link else {}
    return messaging.Message(
        token=delivery.recipient,
        notification=messaging.Notification(title=content.title, body=content.body, image=content.image or None),
        data=content.data | link | {"notification_id": delivery.notification_id},
        android=messaging.AndroidConfig(ttl=left),
        apns=_apns(content, delivery.expires_at),
        webpush=_webpush(content, left),
    )


def _apns(content: PushContent, expires_at: datetime) -> messaging.APNSConfig:
    headers = {"apns-expiration": str(int(expires_at.timestamp()))}
    if not content.image:
        return messaging.APNSConfig(headers=headers)
    # On iOS an extension of the app downloads the image. iOS starts it for mutable content only.
    return messaging.APNSConfig(
        headers=headers,
        payload=messaging.APNSPayload(messaging.Aps(mutable_content=True)),
        fcm_options=messaging.APNSFCMOptions(image=content.image),
    )


def _webpush(content: PushContent, left: timedelta) -> messaging.WebpushConfig:
    """In a browser FCM opens https URLs only. The app's service worker gets any other link as data."""
    opened = content.link if content.link and content.link.startswith("https://") else None
    return messaging.WebpushConfig(
        headers={"TTL": str(int(left.total_seconds()))},
        fcm_options=messaging.WebpushFCMOptions(link=opened) if opened else None,
    )
