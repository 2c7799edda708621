"""``python -m publisher_api.cli.migrate``: migrate the database of DATABASE_URL to the newest schema."""

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from shared.errors import ConfigurationError

_INI = Path(__file__).parents[1] / "db" / "migrations" / "alembic.ini"


def main() -> None:
    if not os.environ.get("DATABASE_URL"):
        sys.exit(str(ConfigurationError.missing(["DATABASE_URL"])))
    command.upgrade(Config(_INI), "head")


if __name__ == "__main__":
    main()
