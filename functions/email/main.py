"""E-mail: SendGrid, and SMTP where it is configured."""

import os

import flask
import functions_framework

from functions import wiring
from functions.email.sendgrid import SendGrid
from functions.email.smtp import Smtp
from functions.google.push import respond

channel = wiring.channel("email", [SendGrid, Smtp], os.environ)


@functions_framework.http
def email(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
