"""The rabbitmq profile: RabbitMQ, beside what every profile outside of Google Cloud runs."""

from local.rabbitmq_server import READY_SECONDS, RabbitmqServer
from local.service import Program, Service


def services(server: RabbitmqServer) -> list[Service]:
    """The server, which keeps its messages when it restarts, and the name server that it needs."""
    return [
        Program(name="epmd", launch=server.start_epmd, ready=server.epmd_ready),
        Program(name="rabbitmq", launch=server.start, ready=server.ready, needs=("epmd",), seconds=READY_SECONDS),
    ]
