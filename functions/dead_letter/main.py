"""What no attempt could deliver, from every channel."""

import os

import flask
import functions_framework

from functions.dead_letter import handler
from functions.runtime.lazy import Lazy
from functions.runtime.push import respond

channel = Lazy(lambda: handler.connect(os.environ))


@functions_framework.http
def dead_letter(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
