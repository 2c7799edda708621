"""``make up``: starts everything and keeps it running until Ctrl-C. Exits with 1 when a service ends by itself."""

import json
import sys
import time

from rich.console import Console
from rich.markup import escape

from local.emulators import Emulators
from local.stack import Stack
from local.terminal import stack_at_terminal
from shared.profile import Profile

_CHECK_EVERY_SECONDS = 1.0


def main() -> None:
    console = Console()
    with stack_at_terminal(console) as stack:
        _print_addresses(console, stack)
        while not (ended := stack.ended()):
            time.sleep(_CHECK_EVERY_SECONDS)
    for child in ended:
        console.print(
            f"[bold red]✗ {child.name}[/] ended with exit code {child.process.returncode}."
            f" Everything was stopped. Its log is {escape(str(child.log))}",
            highlight=False,
            soft_wrap=True,
        )
    sys.exit(1)


def _print_addresses(console: Console, stack: Stack) -> None:
    config = stack.config
    addresses = {
        "Demo (send, and see)": config.demo_url,
        "API": f"{config.publisher_url}/docs",
        "Sandbox (what arrived)": config.sandbox_url,
        "API key": stack.api_key,
        "Postgres": config.database_url,
        **({"Redis": config.redis_server.url} if config.profile is Profile.REDIS else {}),
        **({"RabbitMQ": config.amqp_url} if config.amqp_url else {}),
        **(_google_addresses(config.emulators) if config.profile is Profile.GOOGLE else {}),
        "Logs": str(stack.logs),
    }
    console.print()
    for name, address in addresses.items():
        console.print(f"  {name:24}{address}", markup=False, highlight=False, soft_wrap=True)
    console.print("\nOpen the demo page, or send a notification (Ctrl-C stops everything):\n", highlight=False)
    console.print(curl(stack), markup=False, highlight=False, soft_wrap=True)


def _google_addresses(emulators: Emulators) -> dict[str, str]:
    return {
        "Pub/Sub emulator": emulators.pubsub_host,
        "Firestore emulator": emulators.firestore_host,
        "Project": emulators.project,
    }


def curl(stack: Stack) -> str:
    """A shell command that sends one notification: an e-mail, which the sandbox then shows, and an inbox entry."""
    body = {
        "user_id": "ada",
        "event_type": "payment",
        "channels": ["inapp", "email"],
        "payload": {"amount": 10},
        "to": {"email": "ada@example.com"},
    }
    return (
        f"curl -i {stack.config.publisher_url}/v1/notifications"
        f" -H 'Authorization: Bearer {stack.api_key}' -H 'Content-Type: application/json'"
        f" -d '{json.dumps(body)}'"
    )


if __name__ == "__main__":
    main()
