# The lanes of shared/lanes.py: each is a topic, and each channel type has a subscription to each.
resource "google_pubsub_topic" "notifications" {
  for_each = { bulk = "notifications-bulk", normal = "notifications", urgent = "notifications-urgent" }

  project                    = var.project_id
  name                       = each.value
  message_retention_duration = "${7 * 24 * 3600}s"
  labels                     = local.labels

  depends_on = [time_sleep.services]
}

moved {
  from = google_pubsub_topic.notifications
  to   = google_pubsub_topic.notifications["normal"]
}

resource "google_pubsub_topic" "outcomes" {
  project                    = var.project_id
  name                       = "delivery-outcomes"
  message_retention_duration = "${7 * 24 * 3600}s"
  labels                     = local.labels

  depends_on = [time_sleep.services]
}

resource "google_pubsub_topic" "outcomes_dead" {
  project = var.project_id
  name    = "${google_pubsub_topic.outcomes.name}-dead"
  labels  = local.labels
}

resource "google_pubsub_subscription" "outcomes" {
  project                    = var.project_id
  name                       = "${google_pubsub_topic.outcomes.name}-publisher"
  topic                      = google_pubsub_topic.outcomes.id
  ack_deadline_seconds       = local.subscriptions.outcomes.ack_deadline_seconds
  message_retention_duration = "${7 * 24 * 3600}s"
  labels                     = local.labels

  push_config {
    push_endpoint = "${local.publisher_url}/internal/outcomes"

    oidc_token {
      audience              = local.push_audience
      service_account_email = google_service_account.push.email
    }
  }

  retry_policy {
    minimum_backoff = "${local.subscriptions.outcomes.backoff_seconds[0]}s"
    maximum_backoff = "${local.subscriptions.outcomes.backoff_seconds[1]}s"
  }

  # 100 attempts with a backoff of up to 10 minutes: the publisher may be down for more than half a day.
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.outcomes_dead.id
    max_delivery_attempts = local.subscriptions.outcomes.attempts
  }

  expiration_policy {
    ttl = ""
  }
}

# No consumer. An operator pulls these outcomes to publish them again (docs/operations.md, Replay).
resource "google_pubsub_subscription" "outcomes_dead" {
  project                    = var.project_id
  name                       = "${google_pubsub_topic.outcomes_dead.name}-kept"
  topic                      = google_pubsub_topic.outcomes_dead.id
  ack_deadline_seconds       = local.subscriptions.outcomes_dead.ack_deadline_seconds
  message_retention_duration = "${31 * 24 * 3600}s"
  labels                     = local.labels

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "outcomes_dead_publisher" {
  project = var.project_id
  topic   = google_pubsub_topic.outcomes_dead.id
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "outcomes_dead_subscriber" {
  project      = var.project_id
  subscription = google_pubsub_subscription.outcomes.id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
