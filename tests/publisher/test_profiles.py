"""What a publisher can do depends on its profile."""

import threading

import pytest

from publisher_api.app import create_app
from publisher_api.settings import Settings
from shared.errors import ConfigurationError
from shared.profile import Profile


@pytest.mark.parametrize("profile", [profile for profile in Profile if profile is not Profile.GOOGLE])
def test_a_digitalocean_function_works_in_the_google_profile_only(profile: Profile) -> None:
    with pytest.raises(ConfigurationError) as refused:
        create_app(Settings(database_url="postgresql:///none", profile=profile), serverless=True)
    message = str(refused.value)
    assert "DigitalOcean Functions work in the google profile only" in message
    assert f"HELIOGRAPH_PROFILE is {profile.value}" in message
    assert "Run the publisher in a container" in message


def test_an_application_that_is_not_started_starts_no_thread() -> None:
    before = set(threading.enumerate())
    create_app(Settings(database_url="postgresql:///none", profile=Profile.POSTGRES))
    assert set(threading.enumerate()) <= before
