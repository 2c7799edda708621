"""Runs the real terraform."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

NOT_INSTALLABLE = ("Failed to query available provider packages", "Failed to install provider")


class Terraform:
    """Runs the real terraform on a copy of the configuration."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._root = folder / "terraform"
        self._environment = environment

    def run(self, *arguments: str, module: str = ".") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", *arguments],  # noqa: S607 - found on the PATH, as on a developer's machine
            cwd=self._root / module,
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
        )

    def init(self, *arguments: str, module: str = ".") -> None:
        self._init("-backend=false", *arguments, module=module)

    def init_with_state(self, state: Path) -> None:
        """Like ``init`` for the root, which then keeps its state in the file ``state``, and not in a bucket."""
        backend = f'terraform {{\n  backend "local" {{\n    path = "{state}"\n  }}\n}}\n'
        (self._root / "state_override.tf").write_text(backend)
        self._init("-reconfigure", module=".")

    def actions(self, plan: Path, module: str = ".") -> dict[str, list[str]]:
        """What a saved plan would do: resource address → actions."""
        shown = self.run("show", "-json", str(plan), module=module).stdout
        return {each["address"]: each["change"]["actions"] for each in json.loads(shown)["resource_changes"]}

    def _init(self, *arguments: str, module: str) -> None:
        done = self.run("init", "-input=false", "-no-color", *arguments, module=module)
        if done.returncode == 0:
            return
        if "TERRAFORM_OFFLINE" in os.environ or not any(sign in done.stderr for sign in NOT_INSTALLABLE):
            pytest.fail(done.stderr)
        pytest.skip("terraform init cannot install the providers; TERRAFORM_OFFLINE can name a wrapper for them")


def exports(script: str) -> dict[str, str]:
    """Parse the variables of a line ``export A=1 B=2``."""
    return dict(re.findall(r"([A-Z_]+)=(\S+)", script))
