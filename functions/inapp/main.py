"""The live inbox, in Firestore; the publisher's commands to Firestore come here too."""

import os

import flask
import functions_framework

from functions.inapp import handler
from functions.runtime.lazy import Lazy
from functions.runtime.push import respond

channel = Lazy(lambda: handler.connect(os.environ))


@functions_framework.http
def inapp(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
