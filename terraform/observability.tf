module "observability" {
  source = "./modules/observability"

  billing_account            = var.billing_account
  channels                   = module.channel
  emails                     = var.alert_emails
  labels                     = local.labels
  monthly_budget             = var.monthly_budget
  outcomes_dead_subscription = google_pubsub_subscription.outcomes_dead.name
  outcomes_subscription      = google_pubsub_subscription.outcomes.name
  project_id                 = var.project_id
  project_number             = data.google_project.this.number
  publisher_host             = local.publisher_host
  publisher_path             = local.publisher_path

  depends_on = [time_sleep.services]
}
