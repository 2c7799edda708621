"""A key that Google withdraws is trusted for an hour at most."""

import time
from collections.abc import Callable

from local.tokens import Signer
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.settings import GoogleSettings
from publisher_api.web.google_pushes import GooglePushes
from tests.providers.server import Answer, serving
from tests.publisher.google import AUDIENCE, SERVICE_ACCOUNT


def code_of(verify: Callable[[str], None], signer: Signer) -> RefusalCode | None:
    try:
        verify(signer.token(AUDIENCE, time.time()))
    except Refusal as refusal:
        return refusal.code
    return None


def test_a_withdrawn_key_is_refused_when_the_certificates_expire() -> None:
    old, new = Signer(SERVICE_ACCOUNT), Signer(SERVICE_ACCOUNT)
    both = {"keys": old.certificates["keys"] + new.certificates["keys"]}
    with serving() as google:
        google.answers = [Answer.json(200, each) for each in (both, new.certificates)]
        settings = GoogleSettings(
            project="p",
            push_audience=AUDIENCE,
            push_service_account=SERVICE_ACCOUNT,
            certs_url=f"{google.url}/certs",
        )
        pushes = GooglePushes(settings, certificates_seconds=0.2)
        assert [code_of(pushes.verify, each) for each in (old, new, old)] == [None, None, None]
        assert len(google.asked) == 1, "certificates are not fetched for each push"
        time.sleep(0.25)  # the certificates expire by the clock of PyJWT
        assert [code_of(pushes.verify, each) for each in (new, old)] == [None, RefusalCode.UNAUTHORIZED]
