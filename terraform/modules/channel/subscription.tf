locals {
  # The same derivations as in shared/channels.py; a test compares the two on the plan.
  subscription    = "${var.topic.name}-${var.channel.kind}"
  filter          = "attributes.channel = \"${var.channel.kind}\""
  ack_deadline    = min(600, var.channel.timeout_seconds + 10)
  labels          = merge(var.labels, { channel = var.channel.kind })
  thirty_one_days = "${31 * 24 * 3600}s"
  seven_days      = "${7 * 24 * 3600}s"
}

resource "google_pubsub_subscription" "deliveries" {
  project                    = var.project_id
  name                       = local.subscription
  topic                      = var.topic.id
  filter                     = local.filter
  ack_deadline_seconds       = local.ack_deadline
  message_retention_duration = local.seven_days
  labels                     = local.labels

  push_config {
    push_endpoint = module.function.uri

    oidc_token {
      audience              = module.function.uri
      service_account_email = var.push_account
    }
  }

  retry_policy {
    minimum_backoff = "${var.channel.backoff_seconds[0]}s"
    maximum_backoff = "${var.channel.backoff_seconds[1]}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = var.channel.attempts
  }

  # A subscription nobody pushed to for a month would be deleted, and with it everything published to it afterwards.
  expiration_policy {
    ttl = ""
  }

  lifecycle {
    precondition {
      condition     = length(local.filter) <= 256
      error_message = "Pub/Sub takes filters of at most 256 bytes."
    }
  }
}

resource "google_pubsub_topic" "dead" {
  project = var.project_id
  name    = "${local.subscription}-dead"
  labels  = local.labels
}

# Acknowledged dead letters are kept as well: for 31 days the subscription can be sought back to any of them.
resource "google_pubsub_subscription" "dead" {
  project                    = var.project_id
  name                       = "${google_pubsub_topic.dead.name}-function"
  topic                      = google_pubsub_topic.dead.id
  ack_deadline_seconds       = 70
  message_retention_duration = local.thirty_one_days
  retain_acked_messages      = true
  labels                     = local.labels

  push_config {
    push_endpoint = var.dead_letter.uri

    oidc_token {
      audience              = var.dead_letter.uri
      service_account_email = var.push_account
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = ""
  }
}

# Both grants or neither: without the second, Pub/Sub does not count attempts and nothing is ever dead-lettered.
resource "google_pubsub_topic_iam_member" "dead_publisher" {
  project = var.project_id
  topic   = google_pubsub_topic.dead.id
  role    = "roles/pubsub.publisher"
  member  = var.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_subscriber" {
  project      = var.project_id
  subscription = google_pubsub_subscription.deliveries.id
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}
