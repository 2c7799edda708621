# A complete environment to copy. Secrets come from TF_VAR_secrets, TF_VAR_publisher_private_key,
# TF_VAR_publisher_inbox_token_secret and TF_VAR_publisher_producer_token_secret.
environment = "example"
project_id  = "heliograph-example"
region      = "europe-west1"

firestore_location = "eur3"
ledger_database    = "ledger" # an environment that was created without this line: see docs/operations.md, "Move the ledger"

alert_emails    = ["operator@example.com"]
billing_account = "012345-6789AB-CDEF01"
monthly_budget  = { units = 100 }

channel_environment = {
  email = { EMAIL_FROM = "Heliograph <no-reply@example.com>" }
  sms   = { TWILIO_FROM = "+15005550006" }
}
optional_secrets = { email = ["SMTP_URL"] }

publisher_region    = "ams3"
publisher_registry  = { name = "heliograph-example" }
publisher_database  = { nodes = 2, size = "db-s-1vcpu-2gb" }
publisher_inbox     = { firebase_project = "heliograph-example", origins = ["https://shop.example.com"] }
publisher_instances = { minimum = 2, maximum = 2, size = "apps-s-1vcpu-1gb" }

# The file holds the public key of the publisher's tokens.
publisher_identity = { kind = "keyless", jwks_file = "environments/example.jwks.json" }

continuous_delivery = {
  branch     = "main"
  deployer   = "heliograph-deploy@heliograph-example.iam.gserviceaccount.com"
  repository = "projects/heliograph-example/locations/europe-west1/connections/git/repositories/heliograph"
  reviewer   = "heliograph-review@heliograph-example.iam.gserviceaccount.com"
}

# The deployed release. Releases set these two in release.tfvars.json. Without them Terraform uploads ../dist and builds the
# publisher from publisher_git.
bundle_hashes = {
  dead_letter = "0000000000000000000000000000000000000000000000000000000000000000"
  email       = "0000000000000000000000000000000000000000000000000000000000000000"
  inapp       = "0000000000000000000000000000000000000000000000000000000000000000"
  push        = "0000000000000000000000000000000000000000000000000000000000000000"
  sms         = "0000000000000000000000000000000000000000000000000000000000000000"
  webhook     = "0000000000000000000000000000000000000000000000000000000000000000"
}
publisher_image = {
  digest     = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
  repository = "publisher"
}
