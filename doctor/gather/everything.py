"""All facts at once: each part is asked on a thread of its own, since a part that is away takes its timeout to tell."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from doctor.facts import Clocks, Facts
from doctor.gather.database import ask_database
from doctor.gather.firebase import ask_rules
from doctor.gather.functions import ask_functions
from doctor.gather.google import known
from doctor.gather.http import ask, ask_publisher
from doctor.gather.pubsub import ask_pubsub
from doctor.settings import Settings

_THREADS = 16
_TIMEOUT_SECONDS = 10.0


def gather(settings: Settings) -> Facts:
    """Ask everybody. What does not answer becomes a fact as well; nothing of that is raised."""
    project, local = settings.project, settings.local
    with httpx.Client(timeout=_TIMEOUT_SECONDS) as client, ThreadPoolExecutor(_THREADS) as pool:
        database = pool.submit(ask_database, settings.database_url)
        publisher = pool.submit(ask_publisher, client, settings.publisher_url)
        certificates = None if local else pool.submit(ask, client, settings.google_certs_url)
        topology = pool.submit(known, partial(ask_pubsub, project, settings.pubsub_emulator))
        rules = pool.submit(
            known, partial(ask_rules, client, project, settings.rules_api_url, settings.firestore_emulator)
        )
        knocks = {name: pool.submit(ask, client, url) for name, url in settings.functions.items()}
        deployed = (
            None if local else pool.submit(known, partial(ask_functions, client, project, settings.functions_api_url))
        )
        bridge = pool.submit(ask, client, f"{local.bridge_url}/health") if local else None
    return Facts(
        database=database.result()[0],
        topology=topology.result(),
        functions={name: knock.result()[0] for name, knock in knocks.items()},
        deployed=deployed.result() if deployed else None,
        bridge=bridge.result()[0] if bridge else None,
        publisher=publisher.result().publisher,
        rules=rules.result(),
        clocks=Clocks(
            google=certificates.result()[1] if certificates else None,
            publisher=publisher.result().clock,
            postgres=database.result()[1],
        ),
    )
