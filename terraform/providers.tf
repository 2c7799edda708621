# Budgets are asked for in the name of a project; without these two the call is charged to the SDK's own and refused.
provider "google" {
  project               = var.project_id
  region                = var.region
  billing_project       = var.project_id
  user_project_override = true
}

# The token comes from DIGITALOCEAN_TOKEN.
provider "digitalocean" {}
