locals {
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  subscriptions         = concat([for channel in var.channels : channel.subscription], [var.outcomes_subscription])

  dead_letter_subscriptions = concat(
    [for channel in var.channels : channel.dead_letter_subscription], [var.outcomes_dead_subscription],
  )

  of_subscriptions = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${join(", ", [
    for name in local.subscriptions : "\"${name}\""
  ])})"
  of_dead_letters = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${join(", ", [
    for name in local.dead_letter_subscriptions : "\"${name}\""
  ])})"
  of_attempts = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.attempts.name}\""

  # Every alert of one number over a threshold, as data. `runbook` is the heading in docs/operations.md.
  thresholds = {
    dead_letters = {
      title     = "Messages are given up"
      runbook   = "dead-letters"
      severity  = "ERROR"
      filter    = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/dead_letter_message_count\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = ["resource.label.subscription_id"]
      threshold = 0
      period    = "300s"
      duration  = "0s"
    }
    dead_letters_growing = {
      title     = "Dead letters pile up"
      runbook   = "dead-letters-growing"
      severity  = "CRITICAL"
      filter    = "${local.of_dead_letters} AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aligner   = "ALIGN_MEAN"
      reducer   = "REDUCE_SUM"
      group_by  = ["resource.label.subscription_id"]
      threshold = 0
      period    = "300s"
      duration  = "900s"
    }
    oldest_unacked = {
      title     = "Messages wait too long"
      runbook   = "oldest-unacked"
      severity  = "WARNING"
      filter    = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      aligner   = "ALIGN_MAX"
      reducer   = "REDUCE_MAX"
      group_by  = ["resource.label.subscription_id"]
      threshold = var.oldest_unacked_seconds
      period    = "60s"
      duration  = "300s"
    }
    credentials_refused = {
      title     = "A provider refuses our credentials"
      runbook   = "credentials-refused"
      severity  = "CRITICAL"
      filter    = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.credentials_refused.name}\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = ["resource.label.service_name"]
      threshold = 0
      period    = "300s"
      duration  = "0s"
    }
  }

  # Every alert of one share of another.
  ratios = {
    push_errors = {
      title       = "Pushes are refused"
      runbook     = "push-errors"
      severity    = "WARNING"
      numerator   = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/push_request_count\" AND metric.labels.response_class != \"ack\""
      denominator = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/push_request_count\""
      group_by    = ["resource.label.subscription_id"]
      threshold   = var.tolerated_error_ratio.push
    }
    delivery_errors = {
      title       = "Deliveries fail"
      runbook     = "delivery-errors"
      severity    = "WARNING"
      numerator   = "${local.of_attempts} AND metric.labels.result = one_of(\"failed\", \"attempt\")"
      denominator = local.of_attempts
      group_by    = ["metric.label.channel"]
      threshold   = var.tolerated_error_ratio.delivery
    }
  }

  # Every alert of an uptime check that fails.
  outages = {
    publisher = { title = "The publisher does not answer", runbook = "publisher-down", severity = "CRITICAL", path = "/health" }
    sweep     = { title = "The sweep has not run", runbook = "sweep-not-run", severity = "CRITICAL", path = "/health/sweep" }
  }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.emails

  project      = var.project_id
  type         = "email"
  display_name = "Heliograph: ${each.value}"
  labels       = { email_address = each.value }
  user_labels  = var.labels
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = local.thresholds

  project               = var.project_id
  display_name          = "Heliograph: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = each.value.duration

      aggregations {
        alignment_period     = each.value.period
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
        group_by_fields      = each.value.group_by
      }
    }
  }

  documentation {
    content   = "What it means and what to do: docs/operations.md#${each.value.runbook}"
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.metrics]
}

resource "google_monitoring_alert_policy" "ratio" {
  for_each = local.ratios

  project               = var.project_id
  display_name          = "Heliograph: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter             = each.value.numerator
      denominator_filter = each.value.denominator
      comparison         = "COMPARISON_GT"
      threshold_value    = each.value.threshold
      duration           = "300s"

      aggregations {
        alignment_period     = "900s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = each.value.group_by
      }

      denominator_aggregations {
        alignment_period     = "900s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = each.value.group_by
      }
    }
  }

  documentation {
    content   = "What it means and what to do: docs/operations.md#${each.value.runbook}"
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.metrics]
}

resource "google_monitoring_uptime_check_config" "publisher" {
  for_each = local.outages

  project      = var.project_id
  display_name = "Heliograph: ${each.key}"
  period       = "60s"
  timeout      = "10s"
  user_labels  = var.labels

  http_check {
    path         = "${var.publisher_path}${each.value.path}"
    port         = 443
    use_ssl      = true
    validate_ssl = true

    accepted_response_status_codes {
      status_class = "STATUS_CLASS_2XX"
    }
  }

  monitored_resource {
    type = "uptime_url"

    labels = {
      host       = var.publisher_host
      project_id = var.project_id
    }
  }

  # Another address makes another check, and one that an alert still looks at cannot be removed.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_monitoring_alert_policy" "outage" {
  for_each = local.outages

  project               = var.project_id
  display_name          = "Heliograph: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = "resource.type = \"uptime_url\" AND metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.publisher[each.key].uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "120s"

      # How many of the places that look see it fail; one alone may be at fault itself.
      aggregations {
        alignment_period     = "120s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
    }
  }

  documentation {
    content   = "What it means and what to do: docs/operations.md#${each.value.runbook}"
    mime_type = "text/markdown"
  }
}
