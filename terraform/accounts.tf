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

# Cloud Functions copies a bundle into a bucket of its own, which it makes with the first function, and the build fetches it there.
# The bucket cannot be named before it is there, but it can be described.
resource "google_project_iam_member" "build_sources" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title      = "sources-of-functions"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-\")"
  }
}

# A grant takes up to a minute to be heard of everywhere, and a build that comes too early fails for good.
resource "time_sleep" "build" {
  create_duration = "60s"

  depends_on = [
    google_project_iam_member.build,
    google_project_iam_member.build_sources,
  ]
}
