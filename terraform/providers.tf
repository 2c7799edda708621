# The budget API needs a quota project. Without the last two settings the call counts against the SDK's own project and is refused.
provider "google" {
  project               = var.project_id
  region                = var.region
  billing_project       = var.project_id
  user_project_override = true
}

# Reads its token from DIGITALOCEAN_TOKEN.
provider "digitalocean" {}
