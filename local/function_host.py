"""Serves one function as Cloud Run does: under the functions-framework, behind a check of the caller's token.

Run as ``python -m local.function_host NAME`` with PORT, GATE_CERTS_URL, GATE_AUDIENCE and GATE_SERVICE_ACCOUNT, and the
function's own environment, and FCM_URL for the function ``push``.
"""

import os
import sys
from pathlib import Path

import functions_framework
import jwt
from functions_framework._http import create_server

from local import fcm
from local.oidc_gate import OidcGate
from shared.errors import ConfigurationError
from shared.topology import TOPOLOGY

_FUNCTIONS = Path(__file__).parents[1] / "functions"
_DEFAULT_CONCURRENCY = 16
_REQUIRED = ("PORT", "GATE_CERTS_URL", "GATE_AUDIENCE", "GATE_SERVICE_ACCOUNT")


def main(name: str) -> None:
    """Serve ``functions/<name>/main.py`` until the process ends. Raises ``ConfigurationError``."""
    if missing := [variable for variable in _REQUIRED if variable not in os.environ]:
        raise ConfigurationError.missing(missing)
    if name == "push":
        fcm.use_sandbox()
    threads = TOPOLOGY[name].concurrency if name in TOPOLOGY else _DEFAULT_CONCURRENCY
    os.environ.setdefault("THREADS", str(threads))  # read by the framework's server
    app = functions_framework.create_app(name, str(_FUNCTIONS / name / "main.py"), "http")  # type: ignore[no-untyped-call]
    app.wsgi_app = OidcGate(
        app.wsgi_app,
        keys=jwt.PyJWKClient(os.environ["GATE_CERTS_URL"]),
        audience=os.environ["GATE_AUDIENCE"],
        service_account=os.environ["GATE_SERVICE_ACCOUNT"],
    )
    create_server(app, debug=False).run("127.0.0.1", os.environ["PORT"])  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(sys.argv[1])
