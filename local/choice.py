"""Which profile `make demo` and `make up` run: the one that PROFILE names, else google where its emulators can run."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from local import emulators
from shared.errors import ConfigurationError
from shared.profile import Profile

VARIABLE = "PROFILE"


class Choice(NamedTuple):
    """A profile, and why it was chosen."""

    profile: Profile
    reason: str


def choose(environ: Mapping[str, str] = os.environ) -> Choice:
    """The profile to run here. Raises ``ConfigurationError`` for an unknown name."""
    name = environ.get(VARIABLE, "")
    if name in list(Profile):
        return Choice(Profile(name), f"{VARIABLE}={name} asks for it")
    if name:
        message = f"{VARIABLE} is {name!r}. Its values are: {', '.join(Profile)}."
        raise ConfigurationError(message)
    try:
        emulators.find(environ)
    except emulators.EmulatorsMissing as missing:
        reason = f"{', '.join(missing.missing)}; `make demo PROFILE=google` prints what to install"
        return Choice(Profile.POSTGRES, reason)
    return Choice(Profile.GOOGLE, "Google's emulators can run here; PROFILE=postgres runs without them")
