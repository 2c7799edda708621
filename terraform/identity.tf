# The publisher runs outside Google Cloud. This is its identity there, and its only permission: publish to the topics of
# the lanes (docs/decisions/0010).
locals {
  keyless = var.publisher_identity.kind == "keyless"
  subject = "heliograph-publisher"
  issuer  = "https://heliograph-publisher.invalid" # never fetched: jwks_json below holds the keys

  publisher_member = local.keyless ? join("/", [
    "principal://iam.googleapis.com/projects/${data.google_project.this.number}/locations/global/workloadIdentityPools",
    google_iam_workload_identity_pool.publisher[0].workload_identity_pool_id,
    "subject/${local.subject}",
  ]) : google_service_account.publisher[0].member
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = google_pubsub_topic.notifications

  project = var.project_id
  topic   = each.value.id
  role    = "roles/pubsub.publisher"
  member  = local.publisher_member
}

moved {
  from = google_pubsub_topic_iam_member.publisher
  to   = google_pubsub_topic_iam_member.publisher["normal"]
}

resource "google_iam_workload_identity_pool" "publisher" {
  count = local.keyless ? 1 : 0

  project                   = var.project_id
  workload_identity_pool_id = "heliograph-publisher"
  display_name              = "Heliograph: publisher"
  description               = "The publisher on DigitalOcean, which signs its own tokens."

  depends_on = [time_sleep.services]
}

resource "google_iam_workload_identity_pool_provider" "publisher" {
  count = local.keyless ? 1 : 0

  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.publisher[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "publisher"
  attribute_condition                = "assertion.sub == \"${local.subject}\""
  attribute_mapping                  = { "google.subject" = "assertion.sub" }

  oidc {
    issuer_uri        = local.issuer
    allowed_audiences = [local.issuer]
    jwks_json         = file("${path.root}/${var.publisher_identity.jwks_file}")
  }
}

resource "google_service_account" "publisher" {
  count = local.keyless ? 0 : 1

  project      = var.project_id
  account_id   = "heliograph-publisher"
  display_name = "Heliograph: publisher"

  depends_on = [time_sleep.services]
}

resource "time_rotating" "publisher_key" {
  count = local.keyless ? 0 : 1

  rotation_days = var.publisher_identity.rotation_days
}

# Order of a rotation: create the new key, update the app, delete the old key.
resource "google_service_account_key" "publisher" {
  count = local.keyless ? 0 : 1

  service_account_id = google_service_account.publisher[0].name
  keepers            = { rotation = time_rotating.publisher_key[0].id }

  lifecycle {
    create_before_destroy = true
  }
}
