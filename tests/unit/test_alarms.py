"""Alarms ring at their time, in one thread that all share."""

import queue
import threading
import time

from functions.webhook.alarms import Alarms

TIMEOUT_SECONDS = 10.0


def test_alarms_ring_in_the_order_of_their_times_and_none_before_its_time() -> None:
    alarms, rung = Alarms("test"), queue.SimpleQueue[tuple[str, float]]()
    began = time.monotonic()
    for name, seconds in (("late", 0.2), ("soon", 0.05), ("now", 0.0)):
        alarms.set(began + seconds, lambda name=name: rung.put((name, time.monotonic() - began)))  # type: ignore[misc]
    found = [rung.get(timeout=TIMEOUT_SECONDS) for _ in range(3)]
    assert [name for name, _ in found] == ["now", "soon", "late"]
    assert all(at >= seconds for (_, at), seconds in zip(found, (0.0, 0.05, 0.2), strict=True))


def test_an_alarm_that_was_cancelled_does_not_ring() -> None:
    alarms, rung = Alarms("test"), queue.SimpleQueue[str]()
    now = time.monotonic()
    alarms.set(now + 0.05, lambda: rung.put("cancelled")).cancel()
    alarms.set(now + 0.1, lambda: rung.put("kept"))
    assert rung.get(timeout=TIMEOUT_SECONDS) == "kept"


def test_all_alarms_ring_in_one_thread() -> None:
    alarms, rung = Alarms("test"), queue.SimpleQueue[int]()
    for _ in range(20):
        alarms.set(time.monotonic(), lambda: rung.put(threading.get_ident()))
    assert len({rung.get(timeout=TIMEOUT_SECONDS) for _ in range(20)} - {threading.get_ident()}) == 1
