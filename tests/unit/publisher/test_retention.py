"""How long notifications are kept: event type before category before environment."""

from datetime import timedelta

import pytest

from publisher_api.retention.model import RetentionFields, StoredType, changes_retention, kept_for

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


@pytest.mark.parametrize(
    ("before", "after", "policy", "changes"),
    [
        ((30, None), (30, "marketing"), POLICY, False),
        ((None, None), (30, None), POLICY, True),
        ((30, None), (29, None), POLICY, True),
        ((30, None), (31, None), POLICY, True),
        ((30, None), (None, None), POLICY, True),
        ((None, "billing"), (None, "marketing"), POLICY, True),
        ((None, "marketing"), (None, "billing"), POLICY, False),
        ((None, None), (None, "marketing"), RetentionFields(categories={"marketing": 90}), True),
        ((None, None), (None, "marketing"), RetentionFields(), False),
    ],
)
def test_other_days_or_a_category_that_is_kept_for_less_change_the_retention(
    before: tuple[int | None, str | None],
    after: tuple[int | None, str | None],
    policy: RetentionFields,
    *,
    changes: bool,
) -> None:
    old, new = (StoredType(event_type="offer", retention_days=own, category=of) for own, of in (before, after))
    assert changes_retention(old, new, policy) is changes
