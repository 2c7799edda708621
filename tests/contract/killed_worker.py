"""A worker whose handler kills its process. Run as ``python -m tests.contract.killed_worker AMQP_URL``."""

import os
import signal
import sys
import time

from shared.topology import TOPOLOGY
from tests.contract.transports import quick, working
from transport.port import Received
from transport.rabbitmq import RabbitmqTransport


def die(_received: Received) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    with working(RabbitmqTransport(sys.argv[1]), quick(TOPOLOGY["sms"].subscription), die):
        time.sleep(60)
