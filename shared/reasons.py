"""Why a delivery was suppressed, failed or died, and why an attempt will be repeated: one vocabulary for all.

Planning, the functions, the adapters' tables and the SQL use these members. Outcomes carry a reason as text, so that a
publisher also stores the reason of a function that is newer than itself.
"""

from shared.described import Described


class Reason(Described):
    """The stable value and the sentence that explains it to a reader."""

    # Planning: the delivery is suppressed. (CHANNEL_LIMIT: or waits.)
    CHANNEL_DELETED = "channel_deleted", "The channel was deleted before this delivery was on its way."
    CHANNEL_OFF = "channel_off", "The channel is switched off, or was deleted while this delivery was on its way."
    CHANNEL_LIMIT = (
        "channel_limit",
        "The channel's limit is reached: the delivery waits for its turn, or is not sent if it would expire before.",
    )
    MUTED = "muted", "Preferences say no. GET /v1/users/{user_id}/preferences/explain names the line."
    NO_ADDRESS = "no_address", "The user has no address for this channel."
    NO_DEVICE = "no_device", "The user has no registered device."
    USER_LIMIT = "user_limit", "The user has had as many notifications as the limit of users allows."

    # Planning: the delivery waits for its time.
    ADDRESS_WHEN_DUE = "address_when_due", "The delivery is scheduled. The user's address is looked up when it is due."

    QUIET_HOURS = "quiet_hours", "The user's quiet hours. The delivery is sent when they are over."
    LEGAL_HOURS = "legal_hours", "Commercial messages may not be sent at this hour in the recipient's country."

    # Providers: the recipient or the message is refused permanently.
    BAD_REQUEST = "bad_request", "The provider does not accept this request."
    FORBIDDEN_ADDRESS = "forbidden_address", "The host of the webhook is inside a private network."
    GONE = "gone", "The receiver says that it is gone for good (410)."
    INVALID_ADDRESS = "invalid_address", "The provider does not accept this e-mail address."
    INVALID_ARGUMENT = "invalid_argument", "The provider does not accept this token or message."
    INVALID_HEADERS = "invalid_headers", "The headers of the channel cannot be sent."
    INVALID_METHOD = "invalid_method", "The method of the channel is not POST, PUT or PATCH."
    INVALID_NUMBER = "invalid_number", "The provider does not accept this phone number."
    INVALID_RECIPIENT = "invalid_recipient", "The service does not know this recipient, or it takes no messages."
    INVALID_URL = "invalid_url", "The URL of the webhook cannot be used."
    INVALID_USER_ID = "invalid_user_id", "The user id cannot name an inbox."
    OPTED_OUT = "opted_out", "The user opted out at the provider."
    REDIRECTED = "redirected", "The receiver redirects; redirects are not followed."
    REFUSED = "refused", "The provider refused the message."
    SECRET_NOT_FOR_RECEIVER = (
        "secret_not_for_receiver",
        "The channel names a secret that may be sent to another host only.",
    )
    SENDER_MISMATCH = "sender_mismatch", "The device is registered with another project."
    TOO_LARGE = "too_large", "The message is larger than the provider accepts."
    UNKNOWN_PRESET = "unknown_preset", "The webhook function does not know the preset of the channel."
    UNWRITABLE = "unwritable", "The content cannot be written in the format of the provider."
    UNREACHABLE_NUMBER = "unreachable_number", "The provider has no route to this phone number."
    UNREGISTERED = "unregistered", "The app was removed from this device."

    # Attempts that are repeated.
    BREAKER_OPEN = "breaker_open", "The provider failed repeatedly and is not called for a short time."
    CLAIMED_BY_OTHER = "claim_held", "Another worker is sending this delivery."
    CONTENDED = "contended", "Another worker wrote the same document at the same time."
    CREDENTIALS_REFUSED = "credentials_refused", "The provider refused our credentials."
    INBOX_REFUSED = "inbox_refused", "We may not write to the inbox store."
    INBOX_UNAVAILABLE = "inbox_unavailable", "The inbox store did not answer."
    INTERNAL_ERROR = "internal_error", "A bug in Heliograph. Its traceback is in the function's log."
    LEDGER_REFUSED = "ledger_refused", "We may not write to the ledger."
    LEDGER_UNAVAILABLE = "ledger_unavailable", "The ledger did not answer."
    NOT_THERE_YET = "not_there_yet", "The notification to mark as read has not reached the inbox yet."
    NOT_ACCEPTED_NOW = "not_accepted_now", "The receiver answers as if it were being changed (404, 405, 409, 421, 423)."
    OUTCOMES_REFUSED = "outcomes_refused", "We may not publish outcomes."
    OUTCOMES_UNAVAILABLE = "outcomes_unavailable", "The outcome could not be published."
    PROVIDER_ERROR = "provider_error", "The provider reported an error of its own."
    PROVIDER_NOT_CONFIGURED = "provider_not_configured", "A provider that the channel names has no secrets."
    QUEUE_FULL = "queue_full", "The provider holds as many messages of our sender as it accepts."
    RATE_LIMITED = "rate_limited", "The provider asks to send more slowly."
    RECEIVER_BUSY = "receiver_busy", "The receiver is still answering as many deliveries as it may hold at a time."
    REGION_NOT_ENABLED = "region_not_enabled", "The account may not send to this country."
    SECRET_MALFORMED = "secret_malformed", "A secret of the webhook does not have the form that it must have."
    SECRET_MISSING = "secret_missing", "A secret of the webhook is not set."
    SENDER_REFUSED = "sender_refused", "The provider does not accept our sender or account."
    SWITCHES_REFUSED = "switchboard_refused", "We may not read the channel switches."
    SWITCHES_UNAVAILABLE = "switchboard_unavailable", "The channel switches could not be read."
    TIMEOUT = "timeout", "The provider did not answer in time."
    TOO_EARLY = "too_early", "The receiver asks to send this request later (425)."
    UNCONFIRMED = "unconfirmed", "An earlier attempt may have arrived; the next one waits for its cooldown."
    UNREACHABLE = "unreachable", "No connection to the provider could be made."
    UNRESOLVED_HOST = "unresolved_host", "The host name could not be resolved."

    # The publisher: the delivery never reached a function, or no function reported.
    ERASED = "erased", "The user was erased after this notification was accepted."
    NO_REPORT = "no_report", "No outcome arrived, although the delivery was published again several times."
    CANCELED = "canceled_by_producer", "The producer canceled the notification before this delivery was on its way."
    TRANSPORT_REFUSED = "transport_refused", "Pub/Sub does not accept the message. It may be too large."

    # Dead letters.
    ATTEMPTS_USED_UP = "attempts_used_up", "Every attempt failed."
    UNDECODABLE = "undecodable", "The message or its content could not be decoded."
