"""``make up``: starts everything and stays until told to end, or until a part ends by itself: then it exits with 1."""

import json
import sys
import time

from rich.console import Console
from rich.markup import escape

from local.stack import Stack
from local.terminal import stack_at_terminal

_LOOK_EVERY_SECONDS = 1.0


def main() -> None:
    console = Console()
    with stack_at_terminal(console) as stack:
        _tell(console, stack)
        while not (ended := stack.ended()):
            time.sleep(_LOOK_EVERY_SECONDS)
    for child in ended:
        console.print(
            f"[bold red]✗ {child.name}[/] ended with exit code {child.process.returncode}."
            f" Everything is stopped; its log is {escape(str(child.log))}",
            highlight=False,
            soft_wrap=True,
        )
    sys.exit(1)


def _tell(console: Console, stack: Stack) -> None:
    layout = stack.layout
    addresses = {
        "API": f"{layout.publisher_url}/docs",
        "Sandbox (what arrived)": layout.sandbox_url,
        "API key": stack.api_key,
        "Postgres": layout.database_url,
        "Pub/Sub emulator": layout.emulators.pubsub_host,
        "Firestore emulator": layout.emulators.firestore_host,
        "Project": layout.emulators.project,
        "Logs": str(stack.logs),
    }
    console.print()
    for name, address in addresses.items():
        console.print(f"  {name:24}{address}", markup=False, highlight=False, soft_wrap=True)
    console.print("\nSend something (Ctrl-C ends everything):\n", highlight=False)
    console.print(curl(stack), markup=False, highlight=False, soft_wrap=True)


def curl(stack: Stack) -> str:
    """A command that works when pasted: one e-mail, which then shows in the sandbox, and one entry of an inbox."""
    body = {
        "user_id": "ada",
        "event_type": "payment",
        "channels": ["inapp", "email"],
        "payload": {"amount": 10},
        "to": {"email": "ada@example.com"},
    }
    return (
        f"curl -i {stack.layout.publisher_url}/v1/notifications"
        f" -H 'Authorization: Bearer {stack.api_key}' -H 'Content-Type: application/json'"
        f" -d '{json.dumps(body)}'"
    )


if __name__ == "__main__":
    main()
