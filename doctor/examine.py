"""Runs every check and returns the findings in the order in which they are printed."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from doctor.checks.clocks import check_clocks
from doctor.checks.database import check_database
from doctor.checks.functions import check_functions
from doctor.checks.publisher import check_publisher
from doctor.checks.rules import check_rules
from doctor.checks.topology import check_bridge, check_topology
from doctor.facts import Facts
from doctor.finding import Finding, failed, ok
from doctor.gather.everything import gather
from doctor.remedies import Fault, Remedies, cloud_remedies, local_remedies
from doctor.settings import Settings, is_local, read_file
from doctor.topology import expected_subscriptions
from shared.errors import ConfigurationError
from shared.topology import topics

_DEFAULT_ENVIRONMENT = "prod"


def examine(source: Path | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Examine the deployment that the file ``source`` describes, or ``environ`` if ``source`` is None."""
    if source is not None and not source.exists():
        fix = remedies_for({}, source)[Fault.NO_SETTINGS_FILE]
        yield failed(f"{source} does not exist: start the local stack, or name the file of a deployment", fix)
        return
    variables = environ
    try:
        if source is not None:
            variables = read_file(source)
        settings = Settings.from_env(variables, source)
    except ConfigurationError as error:
        yield failed(f"configuration: {error}", remedies_for(variables, source)[Fault.SETTINGS_WRONG])
        return
    yield ok("configuration is complete")
    yield from findings(settings, gather(settings), remedies_for(variables, source))


def findings(settings: Settings, facts: Facts, remedies: Remedies) -> Iterator[Finding]:
    """The findings of every check on ``facts``."""
    yield from check_database(facts.database, remedies)
    yield from check_topology(topics(), expected_subscriptions(settings), facts.topology, remedies)
    yield from check_bridge(facts.bridge, remedies)
    yield from check_functions(settings.functions, facts.functions, facts.deployed, remedies)
    yield from check_publisher(facts.publisher, remedies)
    yield from check_rules(facts.rules, remedies)
    yield from check_clocks(facts.clocks, remedies)


def remedies_for(variables: Mapping[str, str], source: Path | None) -> Remedies:
    """The commands for the deployment that ``variables`` describe. They may be incomplete."""
    if source is not None and is_local(variables):
        return local_remedies(source)
    return cloud_remedies(
        project=variables.get("GOOGLE_CLOUD_PROJECT", ""),
        environment=variables.get("ENVIRONMENT", _DEFAULT_ENVIRONMENT),
        source=source,
    )
