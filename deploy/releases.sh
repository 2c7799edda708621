#!/usr/bin/env bash
# deploy/releases.sh: the record of releases, in the bucket of the bundles. releases/COMMIT/ holds a release's hashes and the lock file
# of the providers it was planned with. releases/attempted, current and previous each hold a commit: of the last apply that was
# started, of the last that succeeded, and of the one before it.
#
#   keep PROJECT COMMIT      upload terraform/release.tfvars.json and the lock file as the release of COMMIT
#   fetch PROJECT COMMIT     download them into terraform/
#   attempt PROJECT COMMIT   record that the apply of COMMIT starts
#   done PROJECT COMMIT      record that the apply of COMMIT succeeded
#   present PROJECT          write the current release to terraform/release.tfvars.json, or {} before the first release
#   rollback PROJECT         print the commit of the release to go back to
set -euo pipefail
usage="usage: deploy/releases.sh keep|fetch|attempt|done PROJECT COMMIT, or present|rollback PROJECT"
verb=${1:?$usage}
releases=gs://${2:?$usage}-heliograph-bundles/releases
cd "$(dirname "$0")/../terraform"

# Prints the value of a name, or nothing if it was never written. Any other failure ends the script.
read_name() {
  local failure
  failure=$(mktemp)
  gcloud storage cat "$releases/$1" 2>"$failure" || grep -q "matched no objects" "$failure" || { cat "$failure" >&2 && return 1; }
  rm -f "$failure"
}
write_name() { printf %s "$2" | gcloud storage cp --quiet - "$releases/$1"; }

commit=${3:-}
case $verb in
  keep | fetch | attempt | done) : "${commit:?$usage}" ;;
esac

case $verb in
  keep)
    gcloud storage cp --quiet release.tfvars.json "$releases/$commit/release.tfvars.json"
    gcloud storage cp --quiet .terraform.lock.hcl "$releases/$commit/terraform.lock.hcl"
    ;;
  fetch)
    gcloud storage cp --quiet "$releases/$commit/release.tfvars.json" release.tfvars.json
    gcloud storage cp --quiet "$releases/$commit/terraform.lock.hcl" .terraform.lock.hcl
    ;;
  attempt)
    write_name attempted "$commit"
    ;;
  done)
    current=$(read_name current)
    if [ -n "$current" ] && [ "$current" != "$commit" ]; then write_name previous "$current"; fi
    write_name current "$commit"
    write_name attempted "$commit"
    ;;
  present)
    current=$(read_name current)
    if [ -z "$current" ]; then
      echo '{}' > release.tfvars.json
    else
      gcloud storage cp --quiet "$releases/$current/release.tfvars.json" release.tfvars.json
    fi
    ;;
  rollback)
    # After an interrupted apply, go back to the current release: the last one that was applied completely.
    current=$(read_name current)
    attempted=$(read_name attempted)
    commit=$current
    if [ "${attempted:-$current}" = "$current" ]; then commit=$(read_name previous); fi
    echo "${commit:?there is no earlier release in $releases}"
    ;;
  *)
    echo "$usage" >&2
    exit 2
    ;;
esac
