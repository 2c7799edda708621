#!/usr/bin/env bash
# deploy/bootstrap.sh PROJECT REGION: create what the first `terraform apply` needs: the APIs that Terraform calls, the bucket for its
# state, and Cloud Build's two accounts, one that deploys and one that checks pull requests. It is safe to run again.
set -euo pipefail
project=${1:?usage: deploy/bootstrap.sh PROJECT REGION}
region=${2:?usage: deploy/bootstrap.sh PROJECT REGION}
bucket=gs://$project-terraform
deployer=heliograph-deploy@$project.iam.gserviceaccount.com
reviewer=heliograph-review@$project.iam.gserviceaccount.com

gcloud services enable --project "$project" \
  cloudresourcemanager.googleapis.com iam.googleapis.com pubsub.googleapis.com secretmanager.googleapis.com \
  serviceusage.googleapis.com storage.googleapis.com
# Google creates Pub/Sub's service agent at its first use. Terraform grants it roles, so it must exist before.
gcloud beta services identity create --service pubsub.googleapis.com --project "$project"

gcloud storage buckets describe "$bucket" >/dev/null 2>&1 || gcloud storage buckets create "$bucket" --project "$project" \
  --location "$region" --uniform-bucket-level-access --public-access-prevention
gcloud storage buckets update "$bucket" --versioning
# A saved plan contains the whole state, so delete it after 14 days.
gcloud storage buckets update "$bucket" --lifecycle-file=/dev/stdin <<< \
  '{"rule": [{"action": {"type": "Delete"}, "condition": {"age": 14, "matchesPrefix": ["plans/"]}}]}'

account() { # ADDRESS DESCRIPTION ROLE…: create a service account and grant it project roles
  local address=$1 description=$2
  shift 2
  gcloud iam service-accounts describe "$address" --project "$project" >/dev/null 2>&1 ||
    gcloud iam service-accounts create "${address%%@*}" --project "$project" --display-name "Heliograph: $description"
  for role in "$@"; do
    gcloud projects add-iam-policy-binding "$project" --member "serviceAccount:$address" --role "$role" --condition None >/dev/null
  done
}
# The deployer creates accounts and grants, so it can do almost anything in this project. It runs the code of the deployed branch.
# Protect that branch: everyone who can push to it has the same permissions.
account "$deployer" "deployer" roles/editor roles/resourcemanager.projectIamAdmin roles/secretmanager.admin roles/pubsub.admin \
  roles/run.admin roles/iam.workloadIdentityPoolAdmin roles/iam.serviceAccountUser roles/firebaserules.admin roles/storage.admin
# The reviewer runs the code of pull requests, which may be unreviewed. It may read the project and change nothing.
account "$reviewer" "checks of pull requests" roles/viewer roles/iam.securityReviewer roles/logging.logWriter \
  roles/serviceusage.serviceUsageConsumer
gcloud storage buckets add-iam-policy-binding "$bucket" --member "serviceAccount:$reviewer" --role roles/storage.objectViewer >/dev/null

for secret in heliograph-digitalocean-token heliograph-digitalocean-read-token heliograph-smoke-api-key heliograph-smoke-to; do
  gcloud secrets describe "$secret" --project "$project" >/dev/null 2>&1 ||
    gcloud secrets create "$secret" --project "$project" --replication-policy automatic
done
gcloud secrets add-iam-policy-binding heliograph-digitalocean-read-token --project "$project" \
  --member "serviceAccount:$reviewer" --role roles/secretmanager.secretAccessor >/dev/null

cat <<END
Cloud Build's secrets are empty. Set each one:  printf %s VALUE | gcloud secrets versions add NAME --data-file=-
  heliograph-digitalocean-token        a token with write access
  heliograph-digitalocean-read-token   a read-only token, for the plans of pull requests
and after the first apply, for the smoke test:
  heliograph-smoke-api-key             the output of python -m publisher_api.cli.keys create --producer smoke
  heliograph-smoke-to                  a JSON object: channel => address of a test recipient
END
