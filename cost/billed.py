"""What Google bills for a gRPC call, read from the bytes of its request and responses. Pure."""

from typing import Any

from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    CommitRequest,
    RunQueryRequest,
    RunQueryResponse,
)
from google.pubsub_v1.types import PublishRequest

_Commit = CommitRequest.pb()
_Get = BatchGetDocumentsRequest.pb()
_Found = BatchGetDocumentsResponse.pb()
_Query = RunQueryRequest.pb()
_Row = RunQueryResponse.pb()
_Publish = PublishRequest.pb()
_CHANNEL_SWITCHES = "/documents/config/channels"
_INBOX_DATABASE = "/databases/(default)/"
_TIMESTAMP_BYTES = 20
_MESSAGE_ID_BYTES = 16


def publish(method: str, request: bytes, _responses: list[bytes]) -> dict[str, float]:
    """Messages, and their size as Pub/Sub bills it: data, attributes, a timestamp and an id."""
    if method != "Publish":
        return {}
    messages = _Publish.FromString(request).messages
    return {
        "messages": len(messages),
        "message_bytes": sum(_size(message) for message in messages),
        "call_bytes": len(request),
    }


def _size(message: Any) -> int:
    attributes = sum(len(name.encode()) + len(value.encode()) for name, value in message.attributes.items())
    return len(message.data) + attributes + _TIMESTAMP_BYTES + _MESSAGE_ID_BYTES


def firestore(method: str, request: bytes, responses: list[bytes]) -> dict[str, float]:
    """Reads (also of documents that do not exist), writes, deletes, and what the created documents add.

    The latter are their number, their bytes, and the sum of the times at which they expire. Names begin with the
    database, ``inbox_`` or ``ledger_``, because the free quota covers one database.
    """
    match method:
        case "Commit":
            commit = _Commit.FromString(request)
            return {"calls": 1, **_in(commit.database, _commit(commit, accepted=bool(responses)))}
        case "BatchGetDocuments":
            names = [_found_name(_Found.FromString(response)) for response in responses]
            switch_reads = sum(name.endswith(_CHANNEL_SWITCHES) for name in names)
            reads = sum(bool(name) for name in names) - switch_reads
            # Functions read the channel switches once per 15 s, not once per delivery.
            counts = {"calls": 0 if switch_reads else 1, "switch_reads": switch_reads}
            return counts | _in(_Get.FromString(request).database, {"reads": reads})
        case "RunQuery":
            rows = sum(_Row.FromString(response).HasField("document") for response in responses)
            return {"calls": 1, **_in(_Query.FromString(request).parent, {"reads": max(1, rows)})}
        case _:
            return {"calls": 1}


def _in(database: str, counts: dict[str, float]) -> dict[str, float]:
    """``counts`` of a call to ``database``, a resource name, or the name of something in a database."""
    prefix = "inbox" if _INBOX_DATABASE in f"{database}/" else "ledger"
    return {f"{prefix}_{name}": count for name, count in counts.items()}


def _found_name(response: Any) -> str:
    name: str = response.found.name or response.missing
    return name


def _commit(commit: Any, *, accepted: bool) -> dict[str, float]:
    if not accepted:
        return {"refused_writes": len(commit.writes)}
    updates = [write for write in commit.writes if write.WhichOneof("operation") != "delete"]
    created = [write.update for write in updates if _must_be_new(write)]
    return {
        "writes": len(updates),
        "deletes": len(commit.writes) - len(updates),
        "documents": len(created),
        "document_bytes": sum(write.update.ByteSize() for write in updates),
        "expires": sum(_expires(document) for document in created),
    }


def _must_be_new(write: Any) -> bool:
    condition = write.current_document
    return condition.WhichOneof("condition_type") == "exists" and not condition.exists


def _expires(document: Any) -> float:
    """When Firestore's time-to-live policy deletes the document, in Unix seconds."""
    seconds: float = document.fields["expire_at"].timestamp_value.seconds
    return seconds
