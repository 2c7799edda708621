from functions.runtime.switchboard import FRESH_SECONDS, Switchboard, Table
from shared.errors import Retryable


class Source:
    """A table, a clock, and how often the table was read."""

    def __init__(self, table: Table) -> None:
        self.table: Table | None = table
        self.seconds = 0.0
        self.reads = 0

    def read(self) -> Table:
        self.reads += 1
        if self.table is None:
            raise Retryable("switchboard_unavailable")
        return self.table

    def switchboard(self) -> Switchboard:
        return Switchboard(self.read, lambda: self.seconds)


def test_a_channel_is_off_only_when_the_table_says_so() -> None:
    switchboard = Source(Table(3, {"email": False, "sms": True})).switchboard()
    assert [switchboard.is_on(slug, 0) for slug in ("email", "sms", "unheard-of")] == [False, True, True]


def test_the_table_is_read_again_when_it_is_no_longer_fresh() -> None:
    source = Source(Table())
    switchboard = source.switchboard()
    assert switchboard.is_on("email", 0)
    source.table = Table(1, {"email": False})
    source.seconds = FRESH_SECONDS - 1
    assert switchboard.is_on("email", 0)
    source.seconds = FRESH_SECONDS
    assert not switchboard.is_on("email", 0)
    assert source.reads == 2


def test_the_last_table_holds_while_none_can_be_read() -> None:
    source = Source(Table(1, {"email": False}))
    switchboard = source.switchboard()
    assert not switchboard.is_on("email", 0)
    source.table, source.seconds = None, FRESH_SECONDS
    assert not switchboard.is_on("email", 0)


def test_everything_is_on_when_no_table_was_ever_read() -> None:
    source = Source(Table())
    source.table = None
    assert source.switchboard().is_on("email", 0)


def test_a_table_from_before_a_channel_was_switched_on_again_does_not_hold_it_back() -> None:
    switchboard = Source(Table(4, {"email": False})).switchboard()
    assert [switchboard.is_on("email", switched_on) for switched_on in (3, 4, 5)] == [False, True, True]
