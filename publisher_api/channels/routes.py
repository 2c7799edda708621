"""/v1/channels: channels at run time, without a deployment."""

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from publisher_api.channels.model import (
    ChannelChanges,
    ChannelFields,
    ChannelList,
    ChannelView,
    NewChannel,
    SendTest,
    SendTestResult,
    Toggle,
)
from publisher_api.fields import Name
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/channels", tags=["configuration"], route_class=AuthenticatedRoute)
_CREATED = 201
_LOCATION = {"Location": {"description": "Where to read the channel.", "schema": {"type": "string"}}}


@router.get("", responses=problems(401, 403, 503))
def list_channels(_producer: Producer, services: Services) -> ChannelList:
    """List all channels."""
    return services.channels.list()


@router.post(
    "",
    status_code=_CREATED,
    responses={_CREATED: {"headers": _LOCATION}, **problems(400, 401, 403, 409, 413, 422, 503)},
)
def create_channel(fields: NewChannel, response: Response, producer: Producer, services: Services) -> ChannelView:
    """Create a channel. A slug that exists is refused."""
    view = services.channels.create(fields, producer)
    response.headers["Location"] = f"/v1/channels/{view.channel}"
    return view


@router.get("/{channel}", responses=problems(401, 403, 404, 422, 503))
def get_channel(channel: Name, _producer: Producer, services: Services) -> ChannelView:
    """Read a channel."""
    return services.channels.get(channel)


@router.put("/{channel}", responses=problems(400, 401, 403, 413, 422, 503))
def put_channel(channel: Name, fields: ChannelFields, producer: Producer, services: Services) -> ChannelView:
    """Create or change a channel. A switch reaches the functions within 15 seconds, also for messages on their way."""
    return services.channels.put(channel, fields, producer)


@router.patch("/{channel}", responses=problems(400, 401, 403, 404, 413, 422, 503))
def patch_channel(channel: Name, changes: ChannelChanges, producer: Producer, services: Services) -> ChannelView:
    """Change a part of a channel, as JSON Merge Patch (RFC 7396) does. In the config, null deletes a field."""
    return services.channels.patch(channel, changes, producer)


@router.delete("/{channel}", status_code=204, responses=problems(401, 403, 404, 409, 422, 503))
def delete_channel(channel: Name, producer: Producer, services: Services) -> Response:
    """Delete a channel. What waits for it is suppressed, also messages on their way after 15 seconds; templates and
    preferences that name it stay, and so does its slug in the history. The first channel of each type cannot be
    deleted, and neither can one that event types name.
    """
    services.channels.delete(channel, producer)
    return Response(status_code=204)


@router.post("/{channel}/toggle", responses=problems(400, 401, 403, 404, 413, 422, 503))
def toggle_channel(channel: Name, producer: Producer, services: Services, toggle: Toggle | None = None) -> ChannelView:
    """Switch a channel on or off. Without a body it becomes what it is not."""
    return services.channels.toggle(channel, producer, enabled=toggle.enabled if toggle else None)


@router.post("/{channel}/test", responses=problems(400, 401, 403, 404, 413, 422, 429, 503))
async def send_test(
    channel: Name, producer: Producer, services: Services, test: SendTest | None = None
) -> SendTestResult:
    """Send a test over the real path. It is a notification with the event type `channel_test`, which expires after five
    minutes. The response comes with its first result, or after 15 seconds with its state so far.
    """
    await run_in_threadpool(services.channels.get, channel)
    return await services.send_tests.send(producer, channel, test or SendTest())
