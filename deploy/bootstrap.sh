#!/usr/bin/env bash
# deploy/bootstrap.sh PROJECT REGION: what must exist before the first `terraform apply`: the APIs that Terraform itself calls, the
# bucket for its state, and the accounts of Cloud Build: one that deploys, and one that looks at pull requests. Can be run again.
set -euo pipefail
project=${1:?usage: deploy/bootstrap.sh PROJECT REGION}
region=${2:?usage: deploy/bootstrap.sh PROJECT REGION}
bucket=gs://$project-terraform
deployer=heliograph-deploy@$project.iam.gserviceaccount.com
reviewer=heliograph-review@$project.iam.gserviceaccount.com

gcloud services enable --project "$project" \
  cloudresourcemanager.googleapis.com iam.googleapis.com pubsub.googleapis.com secretmanager.googleapis.com \
  serviceusage.googleapis.com storage.googleapis.com
# Pub/Sub's own account, which Terraform gives rights to, comes to be at its first use.
gcloud beta services identity create --service pubsub.googleapis.com --project "$project"

gcloud storage buckets describe "$bucket" >/dev/null 2>&1 || gcloud storage buckets create "$bucket" --project "$project" \
  --location "$region" --uniform-bucket-level-access --public-access-prevention
gcloud storage buckets update "$bucket" --versioning
# A plan that was kept for its apply holds all that the state holds.
gcloud storage buckets update "$bucket" --lifecycle-file=/dev/stdin <<< \
  '{"rule": [{"action": {"type": "Delete"}, "condition": {"age": 14, "matchesPrefix": ["plans/"]}}]}'

account() { # ADDRESS, WHAT IT DOES, ROLES …
  local address=$1 does=$2
  shift 2
  gcloud iam service-accounts describe "$address" --project "$project" >/dev/null 2>&1 ||
    gcloud iam service-accounts create "${address%%@*}" --project "$project" --display-name "Heliograph: $does"
  for role in "$@"; do
    gcloud projects add-iam-policy-binding "$project" --member "serviceAccount:$address" --role "$role" --condition None >/dev/null
  done
}
# It makes accounts and grants, so it can do almost anything in this project. It runs what is on the branch that is deployed, so
# protect that branch: whoever can push to it can do as much.
account "$deployer" deploys roles/editor roles/resourcemanager.projectIamAdmin roles/secretmanager.admin roles/pubsub.admin \
  roles/run.admin roles/iam.workloadIdentityPoolAdmin roles/iam.serviceAccountUser roles/firebaserules.admin roles/storage.admin
# It runs what a pull request brings, which nobody may have read: it sees what there is, and has no right to change it.
account "$reviewer" "looks at pull requests" roles/viewer roles/iam.securityReviewer roles/logging.logWriter \
  roles/serviceusage.serviceUsageConsumer
gcloud storage buckets add-iam-policy-binding "$bucket" --member "serviceAccount:$reviewer" --role roles/storage.objectViewer >/dev/null

for secret in heliograph-digitalocean-token heliograph-digitalocean-read-token heliograph-smoke-api-key heliograph-smoke-to; do
  gcloud secrets describe "$secret" --project "$project" >/dev/null 2>&1 ||
    gcloud secrets create "$secret" --project "$project" --replication-policy automatic
done
gcloud secrets add-iam-policy-binding heliograph-digitalocean-read-token --project "$project" \
  --member "serviceAccount:$reviewer" --role roles/secretmanager.secretAccessor >/dev/null

cat <<END
Cloud Build's secrets are empty. Give each its value:  printf %s VALUE | gcloud secrets versions add NAME --data-file=-
  heliograph-digitalocean-token        a token with write access
  heliograph-digitalocean-read-token   a token that can only read, for the plans of pull requests
and after the first apply, for the smoke test:
  heliograph-smoke-api-key             what python -m publisher_api.keys create --producer smoke prints
  heliograph-smoke-to                  a JSON object of sandbox addresses by channel
END
