"""Which checks there are, and in which order they are told."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from doctor.checks.clocks import check_clocks
from doctor.checks.database import check_database
from doctor.checks.functions import check_functions
from doctor.checks.publisher import check_publisher
from doctor.checks.rules import check_rules
from doctor.checks.topology import check_bridge, check_topology
from doctor.facts import Facts
from doctor.finding import Finding, fine, wrong
from doctor.gather.everything import gather
from doctor.mending import InTheClouds, Mending, OnOneMachine
from doctor.settings import Settings, is_local, read_file
from doctor.topology import subscriptions, topics
from shared.errors import ConfigurationError

_USUAL_ENVIRONMENT = "prod"


def examine(source: Path | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Everything about the deployment that the file ``source`` describes, or ``environ`` where there is none."""
    if source is not None and not source.exists():
        yield wrong(f"{source} is not there: the local stack does not run, or this is no deployment's file", "make up")
        return
    variables = environ
    try:
        if source is not None:
            variables = read_file(source)
        settings = Settings.from_env(variables, source)
    except ConfigurationError as error:
        yield wrong(f"configuration: {error}", mending_of(variables, source).configure())
        return
    mending = mending_of(variables, source)
    yield fine("configuration is complete")
    yield from findings(settings, gather(settings), mending)


def findings(settings: Settings, facts: Facts, mending: Mending) -> Iterator[Finding]:
    """Everything that can be said about ``facts``."""
    yield from check_database(facts.database, mending)
    yield from check_topology(topics(), subscriptions(settings), facts.topology, mending)
    yield from check_bridge(facts.bridge, mending)
    yield from check_functions(settings.functions, facts.functions, facts.deployed, mending)
    yield from check_publisher(facts.publisher, mending)
    yield check_rules(facts.rules, mending)
    yield from check_clocks(facts.clocks, mending)


def mending_of(variables: Mapping[str, str], source: Path | None) -> Mending:
    """The commands that mend the deployment which ``variables`` describe, however incompletely."""
    if source is not None and is_local(variables):
        return OnOneMachine(source)
    return InTheClouds(
        project=variables.get("GOOGLE_CLOUD_PROJECT", ""),
        environment=variables.get("ENVIRONMENT", _USUAL_ENVIRONMENT),
        source=source,
    )
