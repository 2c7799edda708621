"""Webhooks: a signed JSON request to any receiver."""

import os

import flask
import functions_framework

from functions import wiring
from functions.google.push import respond
from functions.webhook.http import Http
from functions.webhook.request import receiver_of

channel = wiring.channel("webhook", [Http], os.environ, receiver_of=receiver_of)


@functions_framework.http
def webhook(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
