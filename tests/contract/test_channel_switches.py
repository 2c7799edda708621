"""The contracts of ``ChannelSwitchStore`` and ``ChannelSwitches``: over the fake, over Postgres and over Firestore."""

import pytest

from functions.google.switches import FirestoreSwitchStore
from functions.postgres.switches import PostgresSwitchStore
from functions.runtime.ports import ChannelSwitches, ChannelSwitchStore
from functions.runtime.switches import CachedSwitches, SwitchTable
from tests.fakes import MemorySwitchStore


@pytest.fixture(params=["memory", "postgres", pytest.param("firestore", marks=pytest.mark.emulators)])
def store(request: pytest.FixtureRequest) -> ChannelSwitchStore:
    if request.param == "memory":
        return MemorySwitchStore()
    if request.param == "postgres":
        return PostgresSwitchStore(request.getfixturevalue("state"))
    return FirestoreSwitchStore(request.getfixturevalue("firestore"))


@pytest.fixture
def switches(store: ChannelSwitchStore) -> ChannelSwitches:
    return CachedSwitches(store.read, lambda: 0.0)


class TestChannelSwitchStore:
    def test_table_is_empty_until_one_is_stored(self, store: ChannelSwitchStore) -> None:
        assert store.read() == SwitchTable()

    def test_stored_table_can_be_read(self, store: ChannelSwitchStore) -> None:
        table = SwitchTable(1, {"email": False, "a.channel-with.dots": True})
        store.write(table)
        assert store.read() == table

    def test_newer_table_replaces_the_older_one_completely(self, store: ChannelSwitchStore) -> None:
        store.write(SwitchTable(1, {"email": False, "sms": False}))
        store.write(SwitchTable(2, {"sms": True}))
        assert store.read() == SwitchTable(2, {"sms": True})

    @pytest.mark.parametrize("version", [1, 2])
    def test_table_of_the_same_or_an_older_version_is_ignored(self, store: ChannelSwitchStore, version: int) -> None:
        store.write(SwitchTable(2, {"email": False}))
        store.write(SwitchTable(version, {"email": True}))
        assert store.read() == SwitchTable(2, {"email": False})


class TestChannelSwitches:
    def test_every_channel_is_on_until_a_table_is_stored(self, switches: ChannelSwitches) -> None:
        assert switches.is_on("email", 0)

    def test_stored_switch_is_obeyed_and_a_channel_that_a_newer_table_lacks_was_deleted(
        self, store: ChannelSwitchStore, switches: ChannelSwitches
    ) -> None:
        store.write(SwitchTable(3, {"email": False, "sms": True}))
        assert [switches.is_on(channel, 0) for channel in ("email", "sms", "deleted")] == [False, True, False]

    def test_table_older_than_the_delivery_knows_is_ignored(
        self, store: ChannelSwitchStore, switches: ChannelSwitches
    ) -> None:
        store.write(SwitchTable(3, {"email": False}))
        assert [switches.is_on("email", switched_on) for switched_on in (2, 3)] == [False, True]
