"""What to say when Google could not be asked."""

from doctor.facts import Forbidden, NotLoggedIn, Unknown, Unreachable
from doctor.finding import Finding, wrong
from doctor.mending import Mending


def check_unknown(what: str, unknown: Unknown, mending: Mending) -> Finding:
    match unknown:
        case NotLoggedIn(reason):
            return wrong(f"{what}: this machine has no valid credentials for Google Cloud ({reason})", mending.log_in())
        case Forbidden(reason):
            return wrong(f"{what}: Google does not let you look ({reason})", mending.allow_looking())
        case Unreachable(reason):
            return wrong(f"{what}: no answer ({reason})", mending.reach_google())
