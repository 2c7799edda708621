"""How long notifications are kept: event type before category before environment."""

from datetime import timedelta

import pytest

from publisher_api.retention.model import RetentionFields, StoredType, kept_for

POLICY = RetentionFields(days=365, categories={"marketing": 90})


@pytest.mark.parametrize(
    ("own", "category", "policy", "days"),
    [
        (30, "marketing", POLICY, 30),
        (None, "marketing", POLICY, 90),
        (None, "billing", POLICY, 365),
        (None, None, POLICY, 365),
        (30, None, RetentionFields(), 30),
        (None, "billing", RetentionFields(categories={"marketing": 90}), None),
        (None, None, RetentionFields(), None),
    ],
)
def test_the_first_of_event_type_category_and_environment_decides(
    own: int | None, category: str | None, policy: RetentionFields, days: int | None
) -> None:
    stored = StoredType(event_type="offer", retention_days=own, category=category)
    assert kept_for(stored, policy) == (timedelta(days=days) if days is not None else None)
