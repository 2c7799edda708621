"""A worker whose handler kills its process. Run as ``python -m tests.contract.killed_worker`` in a profile."""

import os
import signal
import time

from postgres.pool import make_pool
from shared.profile import profile_of
from shared.topology import TOPOLOGY
from tests.contract.transports import quick, working
from transport.connect import connect_transport
from transport.port import Received


def die(_received: Received) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    pool = make_pool(os.environ.get("DATABASE_URL", ""), 2)
    if "DATABASE_URL" in os.environ:
        pool.open()
    transport = connect_transport(profile_of(os.environ), os.environ, pool)
    with working(transport, quick(TOPOLOGY["sms"].subscription), die):
        time.sleep(60)
