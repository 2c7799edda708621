"""How much content and time the templates of one request, and of all requests of a transaction, may take."""

import tracemalloc

from publisher_api.accept import submission
from publisher_api.accept.model import AcceptContext, KnownKeys
from publisher_api.accept.submission import Planner
from publisher_api.refusal import Refusal, RefusalCode
from tests.unit.publisher.planned import NOW, configuration, request
from tests.unit.publisher.test_submission import accept_request, body, decided


def test_a_batch_is_accepted_up_to_its_limit_of_content() -> None:
    size = 500_000
    fits = submission.MAX_BATCH_CONTENT_BYTES // (size + 100)
    items = [request(content={"inapp": {"title": "x" * size}}) for _ in range(fits + 2)]
    [answer], writes = decided(accept_request(*items, request(), batch=True))
    results = body(answer)["results"]
    assert [each["status"] for each in results[fits:]] == ["rejected", "rejected", "queued"]
    assert results[fits]["problem"]["type"] == "urn:heliograph:problem:too_large"
    assert len(writes.notifications) == fits + 1


def test_content_beyond_the_limit_of_a_batch_is_not_kept_in_memory() -> None:
    letter = {"inapp": {"title": "{{ 'a' * 125000 }}", "body": "{{ 'b' * 125000 }}"}}
    planner = Planner(configuration(letter=letter), NOW, lambda: "id", render_seconds=60)
    sent = accept_request(*[request(template_name="letter")] * 200, batch=True)
    tracemalloc.start()
    try:
        prepared = planner.prepare(sent, AcceptContext({}, KnownKeys()))
        assert tracemalloc.get_traced_memory()[1] < 2 * submission.MAX_BATCH_CONTENT_BYTES
    finally:
        tracemalloc.stop()
    assert {each.code for each in prepared if isinstance(each, Refusal)} == {RefusalCode.TOO_LARGE}


def test_requests_beyond_the_content_of_a_transaction_are_refused_as_overloaded() -> None:
    sent = accept_request(request(content={"inapp": {"title": "x" * 500_000}}))
    fits = submission.MAX_CONTENT_BYTES // 500_000 + 1
    answers, writes = decided(*[sent] * (fits + 2))
    refused = [answer.code for answer in answers if isinstance(answer, Refusal)]
    assert refused == [RefusalCode.OVERLOADED] * 2
    assert len(writes.notifications) == fits


def test_the_templates_of_a_batch_share_a_limit_of_time() -> None:
    slow = {"inapp": {"title": "{% for a in range(100) %}{% for b in range(100) %}{% endfor %}{% endfor %}t"}}
    planner = Planner(configuration(slow=slow), NOW, lambda: "id", render_seconds=0.05)
    sent = accept_request(*[request(template_name="slow")] * 250, batch=True)
    prepared = planner.prepare(sent, AcceptContext({}, KnownKeys()))
    refused = [each for each in prepared if isinstance(each, Refusal)]
    assert 0 < len(refused) < len(prepared)
    assert {each.code for each in refused} == {RefusalCode.TEMPLATE_FAILED}
