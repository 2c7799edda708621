"""What the config of each channel type may have, as the API shows it. Pure."""

from publisher_api.channels.configs import CONFIGS
from publisher_api.channels.model import ChannelConfigList, ChannelConfigView, PresetView, RecipientView
from shared.channel_types import channel_type_named
from shared.topology import TOPOLOGY
from shared.webhook_presets import PRESETS, Preset


def channel_configs() -> ChannelConfigList:
    """An entry for each channel type."""
    return ChannelConfigList(channel_configs=[_entry(channel_type) for channel_type in TOPOLOGY])


def _entry(channel_type: str) -> ChannelConfigView:
    declared = TOPOLOGY[channel_type]
    return ChannelConfigView(
        channel_type=channel_type,
        title=declared.title,
        address=channel_type_named(channel_type).address.value,
        providers=list(declared.providers),
        config_schema=CONFIGS[channel_type].model_json_schema(),
        presets=[_preset(preset) for preset in PRESETS.values()] if channel_type == "webhook" else [],
    )


def _preset(preset: Preset) -> PresetView:
    recipient = preset.recipient
    return PresetView(
        preset=preset.name,
        title=preset.title,
        secret=preset.credential,
        recipient=RecipientView(description=recipient.description, pattern=recipient.pattern) if recipient else None,
        documentation=list(preset.documentation),
    )
