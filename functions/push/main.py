"""Mobile push, over Firebase Cloud Messaging."""

import os

import flask
import functions_framework

from functions.push.fcm import Fcm
from functions.runtime import wiring
from functions.runtime.push import respond

channel = wiring.channel("push", [Fcm], os.environ)


@functions_framework.http
def push(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
