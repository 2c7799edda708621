"""/v1/channels: channels at run time, without a deployment."""

from fastapi import APIRouter

from publisher_api.channels.model import ChannelFields, ChannelList, ChannelView
from publisher_api.fields import Name
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/channels", tags=["configuration"], route_class=AuthenticatedRoute)


@router.get("", responses=problems(401, 403, 503))
def list_channels(_producer: Producer, services: Services) -> ChannelList:
    """List all channels."""
    return services.channels.list()


@router.put("/{channel}", responses=problems(400, 401, 403, 413, 422, 503))
def put_channel(channel: Name, fields: ChannelFields, producer: Producer, services: Services) -> ChannelView:
    """Create or change a channel. A switch reaches the functions within 15 seconds, also for messages on their way."""
    return services.channels.put(channel, fields, producer)
