#!/usr/bin/env bash
# deploy/rollback.sh ENVIRONMENT [COMMIT]: deploy the previous release, or that of COMMIT, again.
#
# Only hashes change, because the bundles and images of earlier releases are kept. Migrations are not undone: each must leave the
# previous code working (docs/operations.md).
set -euo pipefail
environment=${1:?usage: deploy/rollback.sh ENVIRONMENT [COMMIT]}
cd "$(dirname "$0")/.."

project=$(sed -n 's/^project_id *= *"\(.*\)"/\1/p' "terraform/environments/$environment.tfvars")
commit=${2:-$(deploy/releases.sh rollback "$project")}
deploy/releases.sh fetch "$project" "$commit"

terraform -chdir=terraform init -input=false -reconfigure -backend-config="environments/$environment.gcs.tfbackend"
terraform -chdir=terraform apply -var-file="environments/$environment.tfvars" -var-file=release.tfvars.json
deploy/releases.sh done "$project" "$commit"
echo "$environment runs $commit again."
