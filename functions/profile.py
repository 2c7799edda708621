"""Chooses the functions' ports by the profile: the one place that knows which packages implement them."""

import importlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol, cast

from functions.runtime.ports import Services
from shared.profile import Profile, profile_of

# By name: a function in Google Cloud is deployed without the other package.
_MODULES: Mapping[Profile, str] = {
    Profile.GOOGLE: "functions.google.services",
    Profile.POSTGRES: "functions.postgres.services",
    Profile.REDIS: "functions.postgres.services",
    Profile.RABBITMQ: "functions.postgres.services",
}


class Connector(Protocol):
    """The module of a profile. Without the environment variables ``REQUIRED``, ``connect`` cannot be called."""

    REQUIRED: tuple[str, ...]

    @staticmethod
    def connect(environ: Mapping[str, str], lease: timedelta) -> Services:
        """The ports of one function. ``lease`` is how long a claim in its ledger holds."""
        ...


def connector(environ: Mapping[str, str]) -> Connector:
    """The module that connects the functions in the profile of ``environ``. Raises ``ConfigurationError``."""
    return cast("Connector", importlib.import_module(_MODULES[profile_of(environ)]))
