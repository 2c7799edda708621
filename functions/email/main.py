"""E-mail, over SendGrid, and over SMTP where that is set up."""

import os

import flask
import functions_framework

from functions.email.sendgrid import SendGrid
from functions.email.smtp import Smtp
from functions.runtime import wiring
from functions.runtime.push import respond

channel = wiring.channel("email", [SendGrid, Smtp], os.environ)


@functions_framework.http
def email(request: flask.Request) -> tuple[str, int]:
    return respond(request.get_data(), channel)
