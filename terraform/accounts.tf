# Pub/Sub signs every push with this identity. It may invoke the functions; the publisher checks its e-mail address.
resource "google_service_account" "push" {
  project      = var.project_id
  account_id   = "heliograph-pubsub-push"
  display_name = "Heliograph: Pub/Sub push"

  depends_on = [time_sleep.services]
}

# Builds the functions' containers. The default build account would have editor rights on the whole project.
resource "google_service_account" "build" {
  project      = var.project_id
  account_id   = "heliograph-build"
  display_name = "Heliograph: function builds"

  depends_on = [time_sleep.services]
}

resource "google_project_iam_member" "build" {
  for_each = toset(["roles/artifactregistry.writer", "roles/logging.logWriter"])

  project = var.project_id
  role    = each.value
  member  = google_service_account.build.member
}

# Cloud Functions copies each bundle into its own bucket, and the build reads the copy. Google creates that bucket with the first
# function, so a grant on the bucket itself is not possible yet; a condition on the prefix of its name is.
resource "google_project_iam_member" "build_sources" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title      = "sources-of-functions"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-\")"
  }
}

# An IAM grant takes up to a minute to take effect. A build that starts before that fails and is not retried.
resource "time_sleep" "build" {
  create_duration = "60s"

  depends_on = [
    google_project_iam_member.build,
    google_project_iam_member.build_sources,
  ]
}
