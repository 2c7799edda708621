# The identity that every push carries. It may call the functions; the publisher knows it by its address.
resource "google_service_account" "push" {
  project      = var.project_id
  account_id   = "heliograph-pubsub-push"
  display_name = "Heliograph: Pub/Sub's pushes"

  depends_on = [time_sleep.services]
}

# Builds the functions' containers, instead of the default account with its right to everything.
resource "google_service_account" "build" {
  project      = var.project_id
  account_id   = "heliograph-build"
  display_name = "Heliograph: builds of the functions"

  depends_on = [time_sleep.services]
}

resource "google_project_iam_member" "build" {
  for_each = toset(["roles/artifactregistry.writer", "roles/logging.logWriter"])

  project = var.project_id
  role    = each.value
  member  = google_service_account.build.member
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.bundles.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}
