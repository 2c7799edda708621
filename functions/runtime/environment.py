"""The check of a function's environment."""

from collections.abc import Iterable, Mapping

from shared.errors import ConfigurationError


def require(environ: Mapping[str, str], names: Iterable[str]) -> None:
    """Raises one ``ConfigurationError`` that names every variable of ``names`` that is unset or empty."""
    if missing := [name for name in names if not environ.get(name)]:
        raise ConfigurationError.missing(missing)
