"""Commands for operators: ``python -m publisher_api.cli.NAME``."""
