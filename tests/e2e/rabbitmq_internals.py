"""The rabbitmq profile behind the API: messages are in the queues of a RabbitMQ."""

from tests.contract.rabbitmq import messages_in
from tests.e2e.self_hosted_internals import SelfHostedInternals


class RabbitmqInternals(SelfHostedInternals):
    """Implements ``Internals`` and ``CountsMessages`` of ``tests.e2e.internals``."""

    transport_server = "rabbitmq"

    def give_up_messages_of(self, service: str) -> None:
        """RabbitMQ delivers again at once what a connection had taken that has ended."""

    def messages_left(self) -> int:
        """Without those that a worker has taken, or that wait for their next attempt."""
        return sum(messages_in(self._stack.config.amqp_url, each.name) for each in self._taken_by("worker"))
