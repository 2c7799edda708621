#!/usr/bin/env bash
# deploy/rollback.sh ENVIRONMENT [COMMIT]: run the release before the present one, or that of COMMIT, again.
#
# Only hashes change: bundles and images stay where a release put them. Migrations are not undone; they are written so that the
# code before them still works (docs/operations.md).
set -euo pipefail
environment=${1:?usage: deploy/rollback.sh ENVIRONMENT [COMMIT]}
commit=${2:-}
cd "$(dirname "$0")/../terraform"

project=$(sed -n 's/^project_id *= *"\(.*\)"/\1/p' "environments/$environment.tfvars")
releases=gs://$project-heliograph-bundles/releases
if [ -z "$commit" ]; then
  commit=$(gcloud storage cat "$releases/previous")
fi
gcloud storage cp --quiet "$releases/$commit/release.tfvars.json" release.tfvars.json
gcloud storage cp --quiet "$releases/$commit/terraform.lock.hcl" .terraform.lock.hcl

terraform init -input=false -reconfigure -backend-config="environments/$environment.gcs.tfbackend"
terraform apply -var-file="environments/$environment.tfvars" -var-file=release.tfvars.json
gcloud storage cat "$releases/current" | gcloud storage cp --quiet - "$releases/previous"
printf %s "$commit" | gcloud storage cp --quiet - "$releases/current"
echo "$environment runs $commit again."
