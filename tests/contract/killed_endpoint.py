"""A push endpoint whose handler kills its process. Run as ``python -m tests.contract.killed_endpoint PORT``."""

import os
import signal
import sys
import time

from tests.contract.messaging import Endpoint
from tests.pushing import serving
from transport.port import Received


def die(_received: Received) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    with serving(Endpoint([die]), int(sys.argv[1])):
        time.sleep(60)
