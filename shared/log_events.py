"""Every event that Heliograph logs. Alerts, metrics and the operations handbook match these values and nothing else."""

from shared.described import Described


class LogEvent(Described):
    """The ``event`` field of a log record; the description is its ``message``."""

    # A delivery in its function. Each record carries the delivery's ids, channel, reason and provider.
    DELIVERY_SENT = "delivery.sent", "A provider accepted the delivery."
    DELIVERY_DELIVERED = "delivery.delivered", "The delivery reached the recipient."
    DELIVERY_BOUNCED = "delivery.bounced", "The delivery was accepted by the provider and came back."
    DELIVERY_FAILED = "delivery.failed", "The provider refused the delivery permanently."
    DELIVERY_SUPPRESSED = (
        "delivery.suppressed",
        "Not sent: the channel is off, or the user opted out.",
    )
    DELIVERY_EXPIRED = "delivery.expired", "The delivery was not sent before it expired."
    DELIVERY_DEAD = "delivery.dead", "The message used up its attempts, or could not be decoded."
    DELIVERY_ATTEMPT_FAILED = "delivery.attempt_failed", "An attempt failed. The message is delivered again."
    DELIVERY_DEFERRED = "delivery.deferred", "An attempt failed. The publisher publishes the delivery again later."
    DELIVERY_REPORT_FAILED = "delivery.report_failed", "A failed attempt could not be reported to the publisher."

    # A message in a function, whatever is in it.
    MESSAGE_RETRYABLE = "message.retryable", "A message was not handled. The transport delivers it again."
    MESSAGE_CREDENTIALS_REFUSED = (
        "message.credentials_refused",
        "Our credentials, account or sender were refused. No message can be sent in this way until an operator acts.",
    )
    MESSAGE_UNDECODABLE = "message.undecodable", "A message could not be decoded. It becomes a dead letter."
    MESSAGE_WITHOUT_DELIVERY = "message.without_delivery", "A dead letter belongs to no delivery and is dropped."

    # The worker, which hosts the functions outside of Google Cloud.
    WORKER_READY = "worker.ready", "The worker takes messages."
    WORKER_STOPPING = "worker.stopping", "The worker finishes what it has begun, and ends."
    WORKER_TAKE_FAILED = "worker.take_failed", "No messages could be taken. The worker tries again."
    WORKER_SETTLE_FAILED = (
        "worker.settle_failed",
        "Messages were handled, and could not be settled. The transport delivers them again.",
    )
    WORKER_HANDLER_FAILED = "worker.handler_failed", "A bug in Heliograph. The message is delivered again."

    # The state that functions keep.
    LEDGER_RELEASE_FAILED = "ledger.release_failed", "A claim could not be released. It ends with its lease."
    LEDGER_FINISH_FAILED = (
        "ledger.finish_failed",
        "The ledger could not record an outcome. It is still reported.",
    )
    SWITCHES_READ_FAILED = (
        "switches.read_failed",
        "The channel switches could not be read. The last ones are used.",
    )

    INBOX_ERASED = "inbox.erased", "The live inbox of a user was erased."

    # The publisher.
    ERASURE_COMPLETED = "erasure.completed", "A user is erased."
    OUTBOX_PUBLISH_FAILED = (
        "outbox.publish_failed",
        "Messages could not be published. The sweeper retries.",
    )
    OUTBOX_RELAY_FAILED = (
        "outbox.relay_failed",
        "The relay hit an unexpected error. The sweeper retries.",
    )
    OUTBOX_SWEEP_FAILED = "outbox.sweep_failed", "The sweep failed. The next sweep tries again."
    CHORE_FAILED = "chore.failed", "A chore of the sweeper failed. The next time it is due, it runs again."
    OUTBOX_EPOCH_CHANGED = (
        "outbox.epoch_changed",
        "The transport's server restarted or lost its data. What may be lost is published again.",
    )
    OUTBOX_SWEPT = "outbox.swept", "The sweep published what was due."
    OUTCOMES_OVERDUE = (
        "outcomes.overdue",
        "Deliveries expired more than an hour ago, and no outcome has arrived.",
    )
    OUTCOMES_INTAKE_FAILED = "outcomes.intake_failed", "Outcomes could not be taken or recorded. They come again."
    OUTCOME_UNDECODABLE = "outcome.undecodable", "An outcome could not be decoded. It becomes a dead letter."
    TRANSPORT_LISTENER_DISCONNECTED = (
        "transport.listener_disconnected",
        "The listener for new messages lost Postgres. It connects again.",
    )
    TRANSPORT_MESSAGE_NEVER_SETTLED = (
        "transport.message_never_settled",
        "All attempts of a message ended without a result: it may have killed its workers. It becomes a dead letter.",
    )
    TRANSPORT_MESSAGE_REFUSED = (
        "transport.message_refused",
        "The transport refused a message for good. It blocks no other message.",
    )
    TRANSPORT_MAY_LOSE_MESSAGES = (
        "transport.may_lose_messages",
        "The transport's server may lose messages, which was accepted. Lost deliveries are published again.",
    )
    TRANSPORT_REPLICA_SLOW = (
        "transport.replica_slow",
        "No replica confirmed messages in time. A failover now may lose them.",
    )
    TRANSPORT_UNREACHABLE = (
        "transport.unreachable",
        "The transport's server cannot be reached. It is examined when it is used first.",
    )
    INBOX_LISTENER_DISCONNECTED = (
        "inbox.listener_disconnected",
        "The listener for changed inboxes lost Postgres. It connects again, and every stream looks for changes.",
    )
    INBOX_READ_FAILED = "inbox.read_failed", "Streams could not read their inboxes. They try again every second."
    INBOX_TOO_MANY_STREAMS = "inbox.too_many_streams", "Streams are refused, because too many are open."
    INBOX_READER_BLOCKED = "inbox.reader_blocked", "A client took nothing from its stream for too long. It was closed."
    REQUEST_FAILED = "request.failed", "A request ended in an unexpected error and was answered with 500."
    POSTGRES_UNAVAILABLE = "postgres.unavailable", "A request was refused because Postgres is unavailable."
    KEY_USES_NOT_WRITTEN = (
        "api_keys.uses_not_written",
        "When API keys were used last could not be stored. The publisher tries again a minute later.",
    )
    CONFIG_LOAD_FAILED = "config.load_failed", "Channels, templates and API keys could not be loaded from Postgres."
    CONFIG_LISTENER_DISCONNECTED = (
        "config.listener_disconnected",
        "The listener for configuration changes lost Postgres. It connects again.",
    )
