resource "google_service_account" "this" {
  project      = var.project_id
  account_id   = var.name
  display_name = var.description
}

resource "google_pubsub_topic_iam_member" "outcomes" {
  project = var.project_id
  topic   = var.outcomes_topic
  role    = "roles/pubsub.publisher"
  member  = google_service_account.this.member
}

resource "google_project_iam_member" "firestore" {
  for_each = var.databases

  project = var.project_id
  role    = each.value
  member  = google_service_account.this.member

  # Firestore has no IAM policy per database, so a condition limits this project-wide role to one database.
  condition {
    title       = "only-${trim(each.key, "()")}"
    description = "Only the database that Heliograph uses."
    expression  = "resource.name == \"projects/${var.project_id}/databases/${each.key}\""
  }
}

# The grant is the same, so an apply must not remove it and add it again.
moved {
  from = google_project_iam_member.firestore
  to   = google_project_iam_member.firestore["(default)"]
}

resource "google_project_iam_member" "provider" {
  for_each = var.roles

  project = var.project_id
  role    = each.value
  member  = google_service_account.this.member
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = var.secrets

  project   = var.project_id
  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this.member
}

# The Cloud Run service behind a gen2 function has the function's name, and checks the caller.
resource "google_cloud_run_service_iam_member" "invoker" {
  project  = var.project_id
  location = var.region
  service  = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  member   = var.invoker
}
