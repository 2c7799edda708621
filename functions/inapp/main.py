"""The live inbox, and the publisher's commands."""

import os

import flask
import functions_framework

from functions import wiring
from functions.google.push import respond
from functions.inapp import handler

channel = wiring.function("inapp", handler.connect, os.environ)


@functions_framework.http
def inapp(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
