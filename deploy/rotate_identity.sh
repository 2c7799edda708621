#!/usr/bin/env bash
# deploy/rotate_identity.sh ENVIRONMENT APP_ID: give a keyless publisher a new key. At every moment at least one key works.
set -euo pipefail
environment=${1:?usage: deploy/rotate_identity.sh ENVIRONMENT APP_ID}
app=${2:?usage: deploy/rotate_identity.sh ENVIRONMENT APP_ID}
cd "$(dirname "$0")/.."
jwks=terraform/environments/$environment.jwks.json

umask 077
key=$(mktemp)
trap 'rm -f "$key"' EXIT
.venv/bin/python -m deploy.identity_key "$jwks" > "$key"
echo "1. $jwks contains the new and the old public key. Commit it, and apply it with the current release:"
echo "     terraform -chdir=terraform output -json release > terraform/release.tfvars.json"
echo "     terraform -chdir=terraform apply -var-file=environments/$environment.tfvars -var-file=release.tfvars.json"
read -r -p "   Press Enter after the apply. "
doctl apps spec get "$app" --format json |
  jq --rawfile key "$key" '(.envs[] | select(.key == "GOOGLE_IDENTITY_KEY") | .value) = $key' |
  doctl apps update "$app" --spec - --wait
echo "2. The publisher signs with the new key. When /health is ok, delete the old key from $jwks, commit it, and apply again."
