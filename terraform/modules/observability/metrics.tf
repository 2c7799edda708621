locals {
  # The `event` values are members of shared/log_events.py; tests/test_log_events.py compares them.
  # The dead-letter function logs an outcome that another function has logged already, without a channel type: not counted again.
  attempts = join(" AND ", [
    "resource.type=\"cloud_run_revision\"",
    "jsonPayload.channel_type:*",
    "jsonPayload.event=(\"delivery.sent\" OR \"delivery.failed\" OR \"delivery.suppressed\" OR \"delivery.expired\" OR \"delivery.attempt_failed\" OR \"delivery.deferred\")",
  ])

  credentials_refused = join(" AND ", [
    "resource.type=\"cloud_run_revision\"",
    "jsonPayload.event=\"message.credentials_refused\"",
  ])
}

resource "google_logging_metric" "attempts" {
  project     = var.project_id
  name        = "heliograph/delivery_attempts"
  description = "Delivery attempts by channel type and event (`delivery.attempt_failed`: Pub/Sub delivers the message again; `delivery.deferred`: the publisher does)."
  filter      = local.attempts

  label_extractors = {
    channel_type = "EXTRACT(jsonPayload.channel_type)"
    event        = "EXTRACT(jsonPayload.event)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key        = "channel_type"
      value_type = "STRING"
    }

    labels {
      key        = "event"
      value_type = "STRING"
    }
  }
}

resource "google_logging_metric" "credentials_refused" {
  project     = var.project_id
  name        = "heliograph/credentials_refused"
  description = "Messages that failed because a provider, or a Google API, refused our credentials."
  filter      = local.credentials_refused

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

# Monitoring refuses an alert on a metric that was created seconds ago ("cannot find metric").
resource "time_sleep" "metrics" {
  create_duration = "30s"
  triggers        = { metrics = join(",", [google_logging_metric.attempts.id, google_logging_metric.credentials_refused.id]) }
}
