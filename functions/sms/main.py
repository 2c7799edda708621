"""SMS: Twilio."""

import os

import flask
import functions_framework

from functions import wiring
from functions.google.push import respond
from functions.sms.twilio import Twilio

channel = wiring.channel("sms", [Twilio], os.environ)


@functions_framework.http
def sms(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
