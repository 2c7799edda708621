"""Which Firestore database holds what: the ledger and the switches are apart from the inboxes."""

from datetime import timedelta

import pytest
from google.cloud.firestore import Client

from functions.google.inbox import inbox_of
from functions.google.ledger import COLLECTION
from functions.google.services import LEDGER_DATABASE, connect
from functions.inapp.inbox import InboxProvider
from functions.runtime.ports import Services
from functions.runtime.switches import SwitchTable
from tests.factories import NOON, make_delivery
from tests.fakes import Clock

pytestmark = pytest.mark.emulators
LEASE = timedelta(seconds=90)


def write_everything(services: Services) -> None:
    services.ledger.claim("d.0", NOON)
    services.switch_store.write(SwitchTable(1, {"email": True}))
    InboxProvider(services.inbox, Clock()).send(make_delivery("inapp", recipient="ada"))


def collections(client: Client) -> list[str]:
    return sorted(each.id for each in client.collections())


@pytest.mark.usefixtures("emulators")
def test_inbox_is_in_the_clients_database_and_the_rest_is_in_another(project: str) -> None:
    write_everything(connect({"GOOGLE_CLOUD_PROJECT": project}, LEASE))
    clients_database = Client(project=project)
    assert len(list(inbox_of(clients_database, "ada").stream())) == 1
    assert collections(clients_database) == ["users"]
    assert collections(Client(project=project, database=LEDGER_DATABASE)) == ["config", COLLECTION]


@pytest.mark.usefixtures("emulators")
def test_ledger_can_stay_in_the_clients_database_until_it_is_moved(project: str) -> None:
    write_everything(connect({"GOOGLE_CLOUD_PROJECT": project, "LEDGER_DATABASE": "(default)"}, LEASE))
    assert collections(Client(project=project)) == ["config", COLLECTION, "users"]
