"""What Google bills for in a gRPC call: read from the bytes that went by. Pure."""

from typing import Any

from google.cloud.firestore_v1.types import BatchGetDocumentsResponse, CommitRequest, RunQueryResponse
from google.pubsub_v1.types import PublishRequest

_Commit = CommitRequest.pb()
_Found = BatchGetDocumentsResponse.pb()
_Row = RunQueryResponse.pb()
_Publish = PublishRequest.pb()
_SWITCHBOARD = "/documents/config/channels"
_TIMESTAMP_BYTES = 20
_MESSAGE_ID_BYTES = 16


def publish(method: str, request: bytes, _answers: list[bytes]) -> dict[str, float]:
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


def firestore(method: str, request: bytes, answers: list[bytes]) -> dict[str, float]:
    """Reads (of a document that is not there as well), writes, deletes; the documents made, their bytes, and the sum of
    the times at which they end.
    """
    match method:
        case "Commit":
            return {"calls": 1, **_commit(_Commit.FromString(request), accepted=bool(answers))}
        case "BatchGetDocuments":
            names = [_found_name(_Found.FromString(answer)) for answer in answers]
            switchboard = sum(name.endswith(_SWITCHBOARD) for name in names)
            read = sum(bool(name) for name in names) - switchboard
            # The switchboard is read once in a while, and not for the delivery that happens to wait for it.
            return {"calls": 0 if switchboard else 1, "reads": read, "switchboard_reads": switchboard}
        case "RunQuery":
            rows = sum(_Row.FromString(answer).HasField("document") for answer in answers)
            return {"calls": 1, "reads": max(1, rows)}
        case _:
            return {"calls": 1}


def _found_name(answer: Any) -> str:
    name: str = answer.found.name or answer.missing
    return name


def _commit(commit: Any, *, accepted: bool) -> dict[str, float]:
    if not accepted:
        return {"refused_writes": len(commit.writes)}
    updates = [write for write in commit.writes if write.WhichOneof("operation") != "delete"]
    made = [write.update for write in updates if _must_be_new(write)]
    return {
        "writes": len(updates),
        "deletes": len(commit.writes) - len(updates),
        "documents": len(made),
        "document_bytes": sum(write.update.ByteSize() for write in updates),
        "expires": sum(_expires(document) for document in made),
    }


def _must_be_new(write: Any) -> bool:
    condition = write.current_document
    return condition.WhichOneof("condition_type") == "exists" and not condition.exists


def _expires(document: Any) -> float:
    """When Firestore's time-to-live policy deletes it, in Unix seconds."""
    seconds: float = document.fields["expire_at"].timestamp_value.seconds
    return seconds
