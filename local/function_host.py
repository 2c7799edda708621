"""Serves one function as Cloud Run does: under the functions-framework, behind a gate that checks who calls.

Run as ``python -m local.function_host NAME`` with PORT, GATE_CERTS_URL, GATE_AUDIENCE and GATE_SERVICE_ACCOUNT, and the
function's own environment. With FCM_URL (``http://host:port``), Firebase's SDK talks to that instead of Google: it has
no setting for it, so this is the one place where it is told otherwise.
"""

import os
import sys
from pathlib import Path

import functions_framework
import jwt
from functions_framework._http import create_server

from local.oidc_gate import Gate
from shared.errors import ConfigurationError
from shared.topology import TOPOLOGY

_FUNCTIONS = Path(__file__).parents[1] / "functions"
_DEFAULT_CONCURRENCY = 16
_NEEDED = ("PORT", "GATE_CERTS_URL", "GATE_AUDIENCE", "GATE_SERVICE_ACCOUNT")


def main(name: str) -> None:
    """Serve ``functions/<name>/main.py`` until the process is ended. Raises ``ConfigurationError``."""
    if missing := [variable for variable in _NEEDED if variable not in os.environ]:
        raise ConfigurationError.missing(missing)
    if name == "push" and (fcm_url := os.environ.get("FCM_URL")):
        _send_push_to(fcm_url)
    threads = TOPOLOGY[name].concurrency if name in TOPOLOGY else _DEFAULT_CONCURRENCY
    os.environ.setdefault("THREADS", str(threads))  # what the framework's server reads
    app = functions_framework.create_app(name, str(_FUNCTIONS / name / "main.py"), "http")  # type: ignore[no-untyped-call]
    app.wsgi_app = Gate(
        app.wsgi_app,
        keys=jwt.PyJWKClient(os.environ["GATE_CERTS_URL"]),
        audience=os.environ["GATE_AUDIENCE"],
        service_account=os.environ["GATE_SERVICE_ACCOUNT"],
    )
    create_server(app, debug=False).run("127.0.0.1", os.environ["PORT"])  # type: ignore[no-untyped-call]


def _send_push_to(url: str) -> None:
    from firebase_admin import messaging  # noqa: PLC0415 - takes 0.4 s, which the other functions need not wait for

    messaging._MessagingService.FCM_URL = f"{url}/v1/projects/{{0}}/messages:send"  # noqa: SLF001 - no public way


if __name__ == "__main__":
    main(sys.argv[1])
