"""/v1/channel-configs: what the config of each channel type may have, for forms."""

from fastapi import APIRouter

from publisher_api.channels.catalog import channel_configs
from publisher_api.channels.model import ChannelConfigList
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer

router = APIRouter(prefix="/v1/channel-configs", tags=["configuration"], route_class=AuthenticatedRoute)


@router.get("", responses=problems(401, 403, 503))
def list_channel_configs(_producer: Producer) -> ChannelConfigList:
    """List what the config of each channel type may have. It has a JSON Schema, the providers, and the presets."""
    return channel_configs()
