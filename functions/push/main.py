"""Mobile push: Firebase Cloud Messaging."""

import os

import flask
import functions_framework

from functions import wiring
from functions.google.push import respond
from functions.push.fcm import Fcm

channel = wiring.channel("push", [Fcm], os.environ)


@functions_framework.http
def push(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
