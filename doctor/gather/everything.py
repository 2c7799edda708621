"""Reads all facts at once, each part in its own thread, because a part that is down takes until its timeout."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from doctor.facts import Clocks, Facts
from doctor.gather.database import read_database
from doctor.gather.firebase import read_rules
from doctor.gather.functions import list_functions
from doctor.gather.google import read_or_explain
from doctor.gather.http import read_publisher, request
from doctor.gather.pubsub import read_pubsub
from doctor.settings import Settings

_THREADS = 16
_TIMEOUT_SECONDS = 10.0


def gather(settings: Settings) -> Facts:
    """Read every fact. A part that does not respond is a fact too, so this raises nothing."""
    project, local = settings.project, settings.local
    with httpx.Client(timeout=_TIMEOUT_SECONDS) as client, ThreadPoolExecutor(_THREADS) as pool:
        database = pool.submit(read_database, settings.database_url)
        publisher = pool.submit(read_publisher, client, settings.publisher_url)
        certificates = None if local else pool.submit(request, client, settings.google_certs_url)
        topology = pool.submit(read_or_explain, partial(read_pubsub, project, settings.pubsub_emulator))
        rules = pool.submit(
            read_or_explain, partial(read_rules, client, project, settings.rules_api_url, settings.firestore_emulator)
        )
        responses = {name: pool.submit(request, client, url) for name, url in settings.functions.items()}
        deployed = (
            None
            if local
            else pool.submit(read_or_explain, partial(list_functions, client, project, settings.functions_api_url))
        )
        bridge = pool.submit(request, client, f"{local.bridge_url}/health") if local else None
    return Facts(
        database=database.result()[0],
        topology=topology.result(),
        functions={name: response.result()[0] for name, response in responses.items()},
        deployed=deployed.result() if deployed else None,
        bridge=bridge.result()[0] if bridge else None,
        publisher=publisher.result()[0],
        rules=rules.result(),
        clocks=Clocks(
            google=certificates.result()[1] if certificates else None,
            publisher=publisher.result()[1],
            postgres=database.result()[1],
        ),
    )
