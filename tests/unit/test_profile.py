import pytest

from shared.errors import ConfigurationError
from shared.profile import Profile, profile_of


@pytest.mark.parametrize(
    ("environ", "profile"),
    [
        ({"HELIOGRAPH_PROFILE": "postgres"}, Profile.POSTGRES),
        ({"HELIOGRAPH_PROFILE": "redis", "GOOGLE_CLOUD_PROJECT": "p"}, Profile.REDIS),
        ({"GOOGLE_CLOUD_PROJECT": "p"}, Profile.GOOGLE),
        ({"HELIOGRAPH_PROFILE": "", "GOOGLE_CLOUD_PROJECT": "p"}, Profile.GOOGLE),
    ],
)
def test_profile_is_the_one_that_is_named_and_google_where_a_project_is(
    environ: dict[str, str], profile: Profile
) -> None:
    assert profile_of(environ) is profile


@pytest.mark.parametrize("environ", [{}, {"HELIOGRAPH_PROFILE": "kafka"}])
def test_error_lists_the_profiles(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="google, postgres, redis, rabbitmq"):
        profile_of(environ)
