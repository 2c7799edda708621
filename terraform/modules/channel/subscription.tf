locals {
  # shared/topology.py derives the same values; tests/test_terraform.py compares both on a plan.
  dead_letters    = "${var.topics["normal"].name}-${var.channel.channel_type}-dead"
  filter          = "attributes.channel = \"${var.channel.channel_type}\""
  ack_deadline    = min(600, var.channel.timeout_seconds + 10)
  labels          = merge(var.labels, { channel = var.channel.channel_type })
  thirty_one_days = "${31 * 24 * 3600}s"
  seven_days      = "${7 * 24 * 3600}s"
}

resource "google_pubsub_subscription" "deliveries" {
  for_each = var.topics

  project                    = var.project_id
  name                       = "${each.value.name}-${var.channel.channel_type}"
  topic                      = each.value.id
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

  # Without this Pub/Sub deletes a subscription after 31 days without activity; messages published later would be lost.
  expiration_policy {
    ttl = ""
  }

  lifecycle {
    precondition {
      condition     = length(local.filter) <= 256
      error_message = "The subscription's filter is longer than the 256 bytes that Pub/Sub allows. Shorten the channel type's name."
    }
  }
}

moved {
  from = google_pubsub_subscription.deliveries
  to   = google_pubsub_subscription.deliveries["normal"]
}

resource "google_pubsub_topic" "dead" {
  project = var.project_id
  name    = local.dead_letters
  labels  = local.labels
}

# Keeps acknowledged dead letters as well, so that for 31 days a seek can deliver any of them again.
resource "google_pubsub_subscription" "dead" {
  project                    = var.project_id
  name                       = "${google_pubsub_topic.dead.name}-function"
  topic                      = google_pubsub_topic.dead.id
  ack_deadline_seconds       = var.dead_letter.ack_deadline_seconds
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
    minimum_backoff = "${var.dead_letter.backoff_seconds[0]}s"
    maximum_backoff = "${var.dead_letter.backoff_seconds[1]}s"
  }

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub needs both grants. Without the second it does not count attempts, and no message ever becomes a dead letter.
resource "google_pubsub_topic_iam_member" "dead_publisher" {
  project = var.project_id
  topic   = google_pubsub_topic.dead.id
  role    = "roles/pubsub.publisher"
  member  = var.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_subscriber" {
  for_each = google_pubsub_subscription.deliveries

  project      = var.project_id
  subscription = each.value.id
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}

moved {
  from = google_pubsub_subscription_iam_member.dead_subscriber
  to   = google_pubsub_subscription_iam_member.dead_subscriber["normal"]
}
