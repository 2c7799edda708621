data "google_project" "this" {
  project_id = var.project_id
}

locals {
  labels = {
    app         = "heliograph"
    environment = var.environment
    managed-by  = "terraform"
  }

  # Google creates this account with the service. Only the beta provider has a resource for it, so its address is built here.
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_project_service" "this" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "fcm.googleapis.com",
    "firebaserules.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
  ])

  project            = var.project_id
  service            = each.value
  disable_on_destroy = false
}

# An API refuses calls for some seconds after it was enabled.
resource "time_sleep" "services" {
  create_duration = "30s"

  depends_on = [google_project_service.this]
}
