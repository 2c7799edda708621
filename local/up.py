"""``make up``: starts everything and keeps it running until Ctrl-C. Exits with 1 when a service ends by itself."""

import json
import sys
import time

from rich.console import Console
from rich.markup import escape

from local.stack import Stack
from local.terminal import stack_at_terminal

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
        "API": f"{config.publisher_url}/docs",
        "Sandbox (what arrived)": config.sandbox_url,
        "API key": stack.api_key,
        "Postgres": config.database_url,
        "Pub/Sub emulator": config.emulators.pubsub_host,
        "Firestore emulator": config.emulators.firestore_host,
        "Project": config.emulators.project,
        "Logs": str(stack.logs),
    }
    console.print()
    for name, address in addresses.items():
        console.print(f"  {name:24}{address}", markup=False, highlight=False, soft_wrap=True)
    console.print("\nSend a notification (Ctrl-C stops everything):\n", highlight=False)
    console.print(curl(stack), markup=False, highlight=False, soft_wrap=True)


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
