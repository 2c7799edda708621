import logging

import pytest

from functions.runtime.switches import FRESH_SECONDS, CachedSwitches, SwitchTable
from shared.errors import Retryable
from shared.reasons import Reason


class Source:
    """A stored table, a clock, and the number of reads. Without a table, reading fails."""

    def __init__(self, table: SwitchTable) -> None:
        self.table: SwitchTable | None = table
        self.seconds = 0.0
        self.reads = 0

    def read(self) -> SwitchTable:
        self.reads += 1
        if self.table is None:
            raise Retryable(Reason.SWITCHES_UNAVAILABLE)
        return self.table

    def switches(self) -> CachedSwitches:
        return CachedSwitches(self.read, lambda: self.seconds)


def test_channel_is_off_if_the_table_says_so_or_lacks_it() -> None:
    switches = Source(SwitchTable(3, {"email": False, "sms": True})).switches()
    assert [switches.is_on(channel, 2) for channel in ("email", "sms", "deleted")] == [False, True, False]


def test_table_from_before_a_channel_was_created_does_not_stop_its_delivery() -> None:
    assert Source(SwitchTable(3, {"email": True})).switches().is_on("new", 4)


def test_table_is_read_again_when_it_is_stale() -> None:
    source = Source(SwitchTable())
    switches = source.switches()
    assert switches.is_on("email", 0)
    source.table = SwitchTable(1, {"email": False})
    source.seconds = FRESH_SECONDS - 1
    assert switches.is_on("email", 0)
    source.seconds = FRESH_SECONDS
    assert not switches.is_on("email", 0)
    assert source.reads == 2


def test_last_table_is_used_while_reading_fails(caplog: pytest.LogCaptureFixture) -> None:
    source = Source(SwitchTable(1, {"email": False}))
    switches = source.switches()
    assert not switches.is_on("email", 0)
    source.table, source.seconds = None, FRESH_SECONDS
    assert not switches.is_on("email", 0)
    assert [(vars(record)["event"], record.levelno) for record in caplog.records] == [
        ("switches.read_failed", logging.WARNING)
    ]


def test_every_channel_is_on_if_no_table_was_ever_read() -> None:
    source = Source(SwitchTable())
    source.table = None
    assert source.switches().is_on("email", 0)


def test_table_from_before_a_channel_was_switched_on_again_does_not_stop_its_delivery() -> None:
    switches = Source(SwitchTable(4, {"email": False})).switches()
    assert [switches.is_on("email", switched_on) for switched_on in (3, 4, 5)] == [False, True, True]
