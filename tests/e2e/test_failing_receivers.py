"""A webhook receiver that fails: its deliveries wait in the outbox, and the subscription is not slowed down.

Pub/Sub pauses the whole subscription after each push that is refused. Other transports take the message again, which
costs an attempt and a thread.
"""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.processes import free_port
from shared.topology import TOPOLOGY, RetryProfile
from tests.e2e.stack_driver import StackDriver

pytestmark = pytest.mark.e2e
WEBHOOKS = TOPOLOGY["webhook"].subscription


class _Accepting(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class has this name
        pass


@contextmanager
def receiver_on(port: int) -> Iterator[None]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), _Accepting) as server:
        threading.Thread(target=server.serve_forever).start()
        yield
        server.shutdown()


def test_deliveries_of_a_receiver_that_is_down_slow_no_other_webhook(driver: StackDriver) -> None:
    before = driver.internals.refusals(WEBHOOKS)
    down = f"http://127.0.0.1:{free_port()}/hook"
    failing = [driver.send("webhook", down) for _ in range(20)]
    for notification_id in failing:
        driver.wait_for_events(notification_id, "deferred")
    working = driver.send("webhook", driver.new_receiver())
    assert driver.closed_delivery(working)["status"] == "sent"
    ended = [driver.closed_delivery(notification_id) for notification_id in failing]
    assert {(each["status"], each["reason"]) for each in ended} == {("dead", "attempts_used_up")}
    attempts = [each["detail"]["attempt"] for each in driver.events(failing[0], "deferred")]
    assert attempts == list(range(1, RetryProfile.END_TO_END_TEST.attempts))
    reasons = {each["detail"]["reason"] for id_ in failing for each in driver.events(id_, "deferred")}
    assert reasons == {"unreachable", "breaker_open"}
    assert driver.internals.refusals(WEBHOOKS) == before


def test_deferred_delivery_is_sent_when_its_receiver_is_back(driver: StackDriver) -> None:
    port = free_port()
    notification_id = driver.send("webhook", f"http://127.0.0.1:{port}/hook")
    [deferred] = driver.wait_for_events(notification_id, "deferred")[:1]
    assert (deferred["detail"]["reason"], deferred["detail"]["provider"]) == ("unreachable", "http")
    with receiver_on(port):
        delivery = driver.closed_delivery(notification_id)
    assert (delivery["status"], delivery["possible_duplicate"]) == ("sent", False)
