"""The two producers of ``bench.fairness``: what they send, and when a provider had it."""

import json
import statistics
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import psycopg

from bench import drain
from bench.fixtures import api_key_of, progress
from bench.load import Job, load
from local.stack import Stack
from shared.lanes import URGENT_PRIORITY

PER_SECOND = 10
_PROVIDER_SECONDS = 0.1
_BATCH = 250
_BATCHES_PER_SECOND = 2
BACKLOG = 3000
_FEW = 10
_TIMEOUT_SECONDS = 300.0
_PACED = "paced batches"
_BATCHES = "batches"
FLOODS = {_PACED: 1, _BATCHES: 2, "singles": 16}
"""Over how many connections each kind of flood comes."""


@dataclass(frozen=True, slots=True)
class Times:
    """In milliseconds from the POST: until it was answered, and until the provider had the message."""

    answered: list[float] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)

    def extend(self, other: "Times") -> None:
        self.answered.extend(other.answered)
        self.arrived.extend(other.arrived)


class Producers:
    """The stack, and its two producers."""

    def __init__(self, stack: Stack, api: httpx.Client, database: psycopg.Connection) -> None:
        self._stack = stack
        self._flood_key = stack.api_key
        self._flood = api
        self._database = database
        headers = {"Authorization": f"Bearer {api_key_of('steady', stack.config.database_url)}"}
        self.steady = httpx.Client(base_url=stack.config.publisher_url, headers=headers, timeout=30)
        self._slow_provider()

    def close(self) -> None:
        self.steady.close()

    def measure(self, seconds: float, kind: str) -> tuple[Times, float]:
        """Steady's times during a flood of this kind, and the rate of the flood. Returns when all is delivered."""
        with ThreadPoolExecutor(1) as thread:
            flood = thread.submit(self._send_flood, kind, seconds) if kind else None
            if flood:
                time.sleep(1.0)  # until the flood runs
            times = self._send(self.steady, seconds=seconds)
            rate = flood.result() if flood else 0.0
        self._fast_provider()  # for what is left of the flood
        self._wait_until_delivered()
        self._forget_arrivals()
        self._slow_provider()
        return times, rate

    def behind_backlog(self) -> dict[str, float]:
        """The median time until the provider has a few notifications that follow a backlog, by what they are."""
        for _ in range(BACKLOG // _BATCH):
            self._send_batch()
        began = time.monotonic()
        urgent = self._send(self._flood, count=_FEW, priority=URGENT_PRIORITY)
        others = self._send(self.steady, count=_FEW)
        self._wait_until_delivered()
        backlog = time.monotonic() - began
        self._forget_arrivals()
        return {
            "urgent, of the same producer": statistics.median(urgent.arrived),
            "of the other producer": statistics.median(others.arrived),
            "the backlog itself": backlog * 1000,
        }

    def _send(self, api: httpx.Client, *, seconds: float = 0, count: int = 0, priority: int = 100) -> Times:
        """Send single notifications at the constant rate, and wait until the provider has each."""
        sent: dict[str, float] = {}
        answered: dict[str, float] = {}

        def send(number: str) -> None:
            sent[number] = time.time()
            api.post("/v1/notifications", json=_notification(number, priority)).raise_for_status()
            answered[number] = time.time()

        before = self._newest_arrival()
        with ThreadPoolExecutor(16) as threads:
            began = time.monotonic()
            calls = []
            for place in range(count or round(seconds * PER_SECOND)):
                time.sleep(max(0.0, began + place / PER_SECOND - time.monotonic()))
                calls.append(threads.submit(send, _number()))
            for call in calls:
                call.result()
        arrived = self._arrivals(before, sent.keys())
        return Times(
            [(answered[each] - sent[each]) * 1000 for each in sent],
            [(arrived[each] - sent[each]) * 1000 for each in sent],
        )

    def _send_batch(self) -> None:
        batch = {"notifications": [_notification(_number())] * _BATCH}
        self._flood.post("/v1/notifications/batch", json=batch).raise_for_status()

    def _send_flood(self, kind: str, seconds: float) -> float:
        """Send a flood of this kind; returns how many notifications were accepted per second."""
        if kind == _PACED:
            began = time.monotonic()
            count = round((seconds + 1) * _BATCHES_PER_SECOND)
            for place in range(count):
                time.sleep(max(0.0, began + place / _BATCHES_PER_SECOND - time.monotonic()))
                self._send_batch()
            return count * _BATCH / (time.monotonic() - began)
        one = _notification(_number())
        batch = {"notifications": [one] * _BATCH}
        path, body, size = ("/batch", batch, _BATCH) if kind == _BATCHES else ("", one, 1)
        job = Job(
            url=f"{self._stack.config.publisher_url}/v1/notifications{path}",
            body=json.dumps(body),
            headers={"Authorization": f"Bearer {self._flood_key}"},
            connections=FLOODS[kind],
            seconds=seconds,
        )
        result = load(job)
        if result.failed:
            progress(f"{result.failed} of {result.requests} requests of the flood were refused")
        return result.rate * size

    def _newest_arrival(self) -> int:
        arrivals = self._read_arrivals(0, 1)
        return int(arrivals[-1]["number"]) if arrivals else 0

    def _arrivals(self, since: int, numbers: Iterable[str]) -> dict[str, float]:
        """When the provider had the first message for each of ``numbers``, in Unix seconds. Raises ``TimeoutError``."""
        wanted, deadline = set(numbers), time.monotonic() + _TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            found = {}
            for each in reversed(self._read_arrivals(since, 50_000)):
                if each["recipient"] in wanted:
                    found[each["recipient"]] = datetime.fromisoformat(each["at"]).timestamp()
            if len(found) == len(wanted):
                return found
            time.sleep(0.5)
        message = "The provider did not get every notification of the steady producer."
        raise TimeoutError(message)

    def _read_arrivals(self, since: int, limit: int) -> list[dict[str, str]]:
        parameters = {"since": since, "limit": limit}
        answer = httpx.get(f"{self._stack.config.sandbox_url}/arrivals", params=parameters, timeout=30)
        arrivals: list[dict[str, str]] = answer.raise_for_status().json()["arrivals"]
        return arrivals

    def _wait_until_delivered(self) -> None:
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while drain.has_open_deliveries(self._database):
            if time.monotonic() > deadline:
                message = "The backlog was not delivered in time."
                raise TimeoutError(message)
            time.sleep(0.2)

    def _forget_arrivals(self) -> None:
        httpx.delete(f"{self._stack.config.sandbox_url}/arrivals").raise_for_status()

    def _slow_provider(self) -> None:
        delayed = {"channel_type": "sms", "rate": 0, "delay_seconds": _PROVIDER_SECONDS}
        httpx.put(f"{self._stack.config.sandbox_url}/faults", json=delayed).raise_for_status()

    def _fast_provider(self) -> None:
        httpx.delete(f"{self._stack.config.sandbox_url}/faults").raise_for_status()


def _notification(number: str, priority: int = 100) -> dict[str, object]:
    return {
        "user_id": "u1",
        "event_type": "payment",
        "channels": ["sms"],
        "payload": {"amount": 10},
        "priority": priority,
        "to": {"sms": number},
    }


def _number() -> str:
    return f"+4477{uuid.uuid4().int % 10**8:08}"
