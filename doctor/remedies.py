"""The command that fixes each fault: one table for a deployment, one for the local stack.

In a deployment, ``gcloud`` changes a setting in place, to the value that Terraform would set. Terraform itself creates
what is missing and replaces what cannot be changed, with the release that is deployed now. On one machine nearly every
fault has the same remedy, because the local stack creates everything when it starts.
"""

from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path

from doctor.settings import service_name


class Fault(Enum):
    """What can be wrong. A comment names the placeholders in the fault's commands; ``fill`` replaces them."""

    NO_SETTINGS_FILE = auto()
    SETTINGS_WRONG = auto()
    MISSING = auto()  # declared and not there, or there and impossible to change in place
    SUBSCRIPTION_DIFFERS = auto()  # <subscription> and <flags>, which are gcloud's
    POSTGRES_UNREACHABLE = auto()
    SCHEMA_BEHIND = auto()
    CODE_BEHIND = auto()
    PUBLISHER_FAILS = auto()
    FUNCTION_FAILS = auto()  # <function> or <service>
    FUNCTION_PUBLIC = auto()  # <service>
    NOT_LOGGED_IN = auto()
    FORBIDDEN = auto()
    GOOGLE_UNREACHABLE = auto()
    CLOCK_OFF = auto()


Remedies = Mapping[Fault, str]
"""The shell command for each fault."""

_START_STACK = "make up"
_SET_CLOCK = "sudo timedatectl set-ntp true"


def local_remedies(source: Path) -> Remedies:
    """The commands for the local stack. ``source`` is in the stack's state directory, next to the logs."""
    restart = dict.fromkeys(Fault, f"{_START_STACK}  # if it runs, stop it first with Ctrl-C")
    return restart | {
        Fault.NO_SETTINGS_FILE: _START_STACK,
        Fault.SCHEMA_BEHIND: _migrate(source),
        Fault.CODE_BEHIND: "git pull",
        Fault.FUNCTION_FAILS: f"tail -n 50 {source.parent}/logs/<function>.log",
        Fault.CLOCK_OFF: _SET_CLOCK,
    }


def cloud_remedies(project: str, environment: str, source: Path | None) -> Remedies:
    """The commands for a deployment.

    ``environment`` names a file in ``terraform/environments``. ``source`` is the file that describes the deployment.
    """
    file = source or f"{environment}.env"
    release = "release.tfvars.json"
    database = _doctl_id("databases list --format ID,Name", f"heliograph-{environment}-postgres")
    app = _doctl_id("apps list --format ID,Spec.Name", f"heliograph-{environment}")
    # doctl returns the URI of the cluster's default database, which is not Heliograph's.
    uri = f"doctl databases connection {database} --format URI --no-header | sed s,/defaultdb,/heliograph,"
    variables = f'{{ terraform -chdir=terraform output -raw doctor_environment; echo "DATABASE_URL=$({uri})"; }}'
    my_address = '"ip_addr:$(curl -fsS https://api.ipify.org)"'
    anyone = "--member=allUsers --role=roles/run.invoker"
    viewer = '--member="user:$(gcloud config get account)" --role=roles/viewer --condition=None'
    return {
        Fault.NO_SETTINGS_FILE: _START_STACK,
        Fault.SETTINGS_WRONG: f"{variables} > {file} && make doctor DEPLOYMENT={file}",
        Fault.MISSING: (
            f"terraform -chdir=terraform output -json release > terraform/{release} && terraform -chdir=terraform apply"
            f" -var-file=environments/{environment}.tfvars -var-file={release}"
        ),
        Fault.SUBSCRIPTION_DIFFERS: f"gcloud pubsub subscriptions update <subscription> --project={project} <flags>",
        Fault.POSTGRES_UNREACHABLE: f"doctl databases firewalls append {database} --rule {my_address}",
        Fault.SCHEMA_BEHIND: _migrate(source),
        Fault.CODE_BEHIND: "git pull",
        Fault.PUBLISHER_FAILS: f"doctl apps create-deployment {app} --wait",
        Fault.FUNCTION_FAILS: f"gcloud run services logs read <service> --project={project} --limit=50",
        Fault.FUNCTION_PUBLIC: (
            f"gcloud run services remove-iam-policy-binding <service> --project={project} {anyone}"
        ),
        Fault.NOT_LOGGED_IN: "gcloud auth application-default login",
        Fault.FORBIDDEN: f"gcloud projects add-iam-policy-binding {project} {viewer}",
        Fault.GOOGLE_UNREACHABLE: (
            "curl -fsSv -o /dev/null 'https://pubsub.googleapis.com/$discovery/rest?version=v1'"
        ),
        Fault.CLOCK_OFF: _SET_CLOCK,
    }


def fill(command: str, **values: str) -> str:
    """``command`` with each placeholder ``<name>`` replaced by the value of that name."""
    for name, value in values.items():
        command = command.replace(f"<{name}>", value)
    return command


def fill_function(command: str, name: str, region: str | None) -> str:
    """``command`` for the function ``name``. The region is unknown if Google's list of functions was not read."""
    region_flag = f" --region={region}" if region else ""
    return fill(command, function=name, service=f"{service_name(name)}{region_flag}")


def _migrate(source: Path | None) -> str:
    command = ".venv/bin/python -m publisher_api.cli.migrate"
    if source is None:
        return command
    names = ("DATABASE_URL", "DATABASE_CA_CERT")
    variables = " ".join(f'{name}="$(sed -n s/^{name}=//p {source})"' for name in names)
    return f"{variables} {command}"


def _doctl_id(listing: str, name: str) -> str:
    """A shell expression for the id of the entry that ``doctl`` lists under ``name``."""
    return f'"$(doctl {listing} --no-header | awk \'$2 == "{name}" {{print $1}}\')"'
