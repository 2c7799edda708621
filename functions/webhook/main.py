"""Webhooks: a signed JSON request to any receiver."""

import os

import flask
import functions_framework

from functions.runtime import wiring
from functions.runtime.push import respond
from functions.webhook.http import Http
from functions.webhook.request import receiver_of

channel = wiring.channel("webhook", [Http], os.environ, party=receiver_of)


@functions_framework.http
def webhook(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
