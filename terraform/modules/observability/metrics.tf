locals {
  # What functions/runtime/deliver.py says about each attempt: the result is the message, the facts are fields.
  attempts = join(" AND ", [
    "resource.type=\"cloud_run_revision\"",
    "jsonPayload.logger=\"functions.runtime.deliver\"",
    "jsonPayload.message=(\"sent\" OR \"failed\" OR \"suppressed\" OR \"expired\" OR \"attempt\")",
  ])

  # And what functions/runtime/push.py says when a provider refuses our credentials.
  credentials_refused = join(" AND ", [
    "resource.type=\"cloud_run_revision\"",
    "severity=CRITICAL",
    "jsonPayload.logger=\"functions.runtime.push\"",
  ])
}

resource "google_logging_metric" "attempts" {
  project     = var.project_id
  name        = "heliograph/attempts"
  description = "Attempts at deliveries, by channel and result (`attempt`: failed, and will be repeated)."
  filter      = local.attempts

  label_extractors = {
    channel = "EXTRACT(jsonPayload.channel)"
    result  = "EXTRACT(jsonPayload.message)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key        = "channel"
      value_type = "STRING"
    }

    labels {
      key        = "result"
      value_type = "STRING"
    }
  }
}

resource "google_logging_metric" "credentials_refused" {
  project     = var.project_id
  name        = "heliograph/credentials_refused"
  description = "A provider refused our credentials."
  filter      = local.credentials_refused

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

# An alert on a metric that was just made is refused: "cannot find metric".
resource "time_sleep" "metrics" {
  create_duration = "30s"
  triggers        = { metrics = join(",", [google_logging_metric.attempts.id, google_logging_metric.credentials_refused.id]) }
}
