"""The command for each fault: in the clouds, and on one machine.

In the clouds a setting is changed in place by ``gcloud``, to just what Terraform would make of it; what is missing or
can only be replaced is left to Terraform, with the release that runs now. On one machine everything is made anew by
starting the stack again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from doctor.settings import service_name
from doctor.topology import Subscription

_SET_CLOCK = "sudo timedatectl set-ntp true"
_START_AGAIN = "make up  # after Ctrl-C where it runs"


class Mending(Protocol):
    """One command for each kind of fault."""

    def restore(self) -> str:
        """Make what is declared and is not there, or is there and cannot be changed."""
        ...

    def adjust(self, subscription: Subscription, flags: Sequence[str]) -> str:
        """Change a subscription; ``flags`` are gcloud's."""
        ...

    def configure(self) -> str:
        """Write the file of variables anew."""
        ...

    def migrate(self) -> str: ...

    def reach_postgres(self) -> str: ...

    def restart_publisher(self) -> str: ...

    def explain_function(self, name: str, region: str | None) -> str:
        """Show why a function fails."""
        ...

    def close_function(self, name: str, region: str | None) -> str:
        """Let nobody call a function but who is meant to."""
        ...

    def log_in(self) -> str: ...

    def allow_looking(self) -> str: ...

    def reach_google(self) -> str: ...

    def set_clock(self) -> str:
        """Set the clock of this machine, or of the one that Postgres is on."""
        ...


@dataclass(frozen=True, slots=True)
class InTheClouds:
    """``environment`` names the files under ``terraform/environments``; ``source`` is the file that describes it."""

    project: str
    environment: str
    source: Path | None

    def restore(self) -> str:
        release = "release.tfvars.json"
        return (
            f"terraform -chdir=terraform output -json release > terraform/{release} && terraform -chdir=terraform apply"
            f" -var-file=environments/{self.environment}.tfvars -var-file={release}"
        )

    def adjust(self, subscription: Subscription, flags: Sequence[str]) -> str:
        return f"gcloud pubsub subscriptions update {subscription.name} --project={self.project} {' '.join(flags)}"

    def configure(self) -> str:
        file = self.source or f"{self.environment}.env"
        # doctl tells the address of the cluster's first database, which is not ours.
        uri = f"doctl databases connection {self._database} --format URI --no-header | sed s,/defaultdb,/heliograph,"
        written = f'{{ terraform -chdir=terraform output -raw doctor_environment; echo "DATABASE_URL=$({uri})"; }}'
        return f"{written} > {file} && make doctor DEPLOYMENT={file}"

    def migrate(self) -> str:
        return _migrate(self.source)

    def reach_postgres(self) -> str:
        mine = '"ip_addr:$(curl -fsS https://api.ipify.org)"'
        return f"doctl databases firewalls append {self._database} --rule {mine}"

    def restart_publisher(self) -> str:
        app = _doctl("apps list --format ID,Spec.Name", f"heliograph-{self.environment}")
        return f"doctl apps create-deployment {app} --wait"

    def explain_function(self, name: str, region: str | None) -> str:
        return f"gcloud run services logs read {self._service(name, region)} --limit=50"

    def close_function(self, name: str, region: str | None) -> str:
        everybody = "--member=allUsers --role=roles/run.invoker"
        return f"gcloud run services remove-iam-policy-binding {self._service(name, region)} {everybody}"

    def log_in(self) -> str:
        return "gcloud auth application-default login"

    def allow_looking(self) -> str:
        grant = '--member="user:$(gcloud config get account)" --role=roles/viewer --condition=None'
        return f"gcloud projects add-iam-policy-binding {self.project} {grant}"

    def reach_google(self) -> str:
        return "curl -fsSv -o /dev/null 'https://pubsub.googleapis.com/$discovery/rest?version=v1'"

    def set_clock(self) -> str:
        return _SET_CLOCK

    @property
    def _database(self) -> str:
        return _doctl("databases list --format ID,Name", f"heliograph-{self.environment}-postgres")

    def _service(self, name: str, region: str | None) -> str:
        where = f" --region={region}" if region else ""
        return f"{service_name(name)} --project={self.project}{where}"


@dataclass(frozen=True, slots=True)
class OnOneMachine:
    """``source`` lies in the stack's state, beside its logs."""

    source: Path

    def restore(self) -> str:
        return _START_AGAIN

    def adjust(self, subscription: Subscription, flags: Sequence[str]) -> str:  # noqa: ARG002 - it is made anew
        return _START_AGAIN

    def configure(self) -> str:
        return _START_AGAIN

    def migrate(self) -> str:
        return _migrate(self.source)

    def reach_postgres(self) -> str:
        return _START_AGAIN

    def restart_publisher(self) -> str:
        return _START_AGAIN

    def explain_function(self, name: str, region: str | None) -> str:  # noqa: ARG002 - there are no regions
        return f"tail -n 50 {self.source.parent}/logs/{name}.log"

    def close_function(self, name: str, region: str | None) -> str:  # noqa: ARG002 - its gate is made anew
        return _START_AGAIN

    def log_in(self) -> str:
        return _START_AGAIN

    def allow_looking(self) -> str:
        return _START_AGAIN

    def reach_google(self) -> str:
        return _START_AGAIN

    def set_clock(self) -> str:
        return _SET_CLOCK


def _migrate(source: Path | None) -> str:
    command = ".venv/bin/python -m publisher_api.migrate"
    return command if source is None else f'DATABASE_URL="$(sed -n s/^DATABASE_URL=//p {source})" {command}'


def _doctl(listing: str, name: str) -> str:
    """The id of what ``doctl`` lists under ``name``, to be found by the shell."""
    return f'"$(doctl {listing} --no-header | awk \'$2 == "{name}" {{print $1}}\')"'
