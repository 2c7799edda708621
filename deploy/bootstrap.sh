#!/usr/bin/env bash
# deploy/bootstrap.sh PROJECT REGION: what must exist before the first `terraform apply`: the APIs that Terraform itself calls, the
# bucket for its state, and the account that Cloud Build deploys with. Can be run again.
set -euo pipefail
project=${1:?usage: deploy/bootstrap.sh PROJECT REGION}
region=${2:?usage: deploy/bootstrap.sh PROJECT REGION}
bucket=gs://$project-terraform
deployer=heliograph-deploy@$project.iam.gserviceaccount.com

gcloud services enable --project "$project" \
  cloudresourcemanager.googleapis.com iam.googleapis.com secretmanager.googleapis.com serviceusage.googleapis.com storage.googleapis.com

gcloud storage buckets describe "$bucket" >/dev/null 2>&1 || gcloud storage buckets create "$bucket" --project "$project" \
  --location "$region" --uniform-bucket-level-access --public-access-prevention
gcloud storage buckets update "$bucket" --versioning

gcloud iam service-accounts describe "$deployer" --project "$project" >/dev/null 2>&1 ||
  gcloud iam service-accounts create heliograph-deploy --project "$project" --display-name "Heliograph: deploys"
# It makes accounts and grants, so it can do almost anything in this project: hence an approval before each apply.
for role in roles/editor roles/resourcemanager.projectIamAdmin roles/secretmanager.admin roles/pubsub.admin roles/run.admin \
  roles/iam.workloadIdentityPoolAdmin roles/iam.serviceAccountUser roles/firebaserules.admin roles/storage.admin; do
  gcloud projects add-iam-policy-binding "$project" --member "serviceAccount:$deployer" --role "$role" --condition None >/dev/null
done

for secret in heliograph-digitalocean-token heliograph-smoke-api-key heliograph-smoke-to; do
  gcloud secrets describe "$secret" --project "$project" >/dev/null 2>&1 ||
    gcloud secrets create "$secret" --project "$project" --replication-policy automatic
done
echo "Give heliograph-digitalocean-token its value:  printf %s TOKEN | gcloud secrets versions add heliograph-digitalocean-token --data-file=-"
echo "and after the first apply, for the smoke test, heliograph-smoke-api-key (python -m publisher_api.keys create --producer smoke) and"
echo "heliograph-smoke-to (a JSON object of sandbox addresses by channel)."
