"""Dead letters of every channel type."""

import os

import flask
import functions_framework

from functions import wiring
from functions.dead_letter import handler
from functions.google.push import respond

channel = wiring.function("dead_letter", handler.connect, os.environ)


@functions_framework.http
def dead_letter(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
