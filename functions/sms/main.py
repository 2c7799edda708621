"""SMS, over Twilio."""

import os

import flask
import functions_framework

from functions.runtime import wiring
from functions.runtime.push import respond
from functions.sms.twilio import Twilio

channel = wiring.channel("sms", [Twilio], os.environ)


@functions_framework.http
def sms(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
