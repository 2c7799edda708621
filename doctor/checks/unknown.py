"""The finding for a fact that could not be read from Google."""

from doctor.facts import Forbidden, NotLoggedIn, Unknown, Unreachable
from doctor.finding import Finding, failed
from doctor.remedies import Fault, Remedies


def check_unknown(what: str, unknown: Unknown, remedies: Remedies) -> Finding:
    match unknown:
        case NotLoggedIn(reason):
            text = f"{what}: this machine has no valid credentials for Google Cloud ({reason})"
            return failed(text, remedies[Fault.NOT_LOGGED_IN])
        case Forbidden(reason):
            return failed(f"{what}: your account may not read this ({reason})", remedies[Fault.FORBIDDEN])
        case Unreachable(reason):
            return failed(f"{what}: no response ({reason})", remedies[Fault.GOOGLE_UNREACHABLE])
