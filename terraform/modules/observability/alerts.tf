locals {
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  subscriptions         = concat(flatten([for channel in var.channels : values(channel.subscriptions)]), [var.outcomes_subscription])

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

  # Alerts on one value above a threshold. An alert's title is also its heading in docs/operations.md.
  thresholds = {
    dead_letters = {
      title     = "Dead letters"
      severity  = "ERROR"
      filter    = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/dead_letter_message_count\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = ["resource.label.subscription_id"]
      threshold = 0
      period    = "300s"
      duration  = "0s"
    }
    unprocessed_dead_letters = {
      title     = "Unprocessed dead letters"
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
      title     = "Old unacknowledged messages"
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
      title     = "Credentials refused"
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

  # Alerts on a ratio of two rates.
  ratios = {
    push_errors = {
      title       = "Push errors"
      severity    = "WARNING"
      numerator   = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/push_request_count\" AND metric.labels.response_class != \"ack\""
      denominator = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/push_request_count\""
      group_by    = ["resource.label.subscription_id"]
      threshold   = var.tolerated_error_ratio.push
    }
    delivery_errors = {
      title       = "Delivery errors"
      severity    = "WARNING"
      numerator   = "${local.of_attempts} AND metric.labels.event = one_of(\"delivery.failed\", \"delivery.attempt_failed\", \"delivery.deferred\")"
      denominator = local.of_attempts
      group_by    = ["metric.label.channel_type"]
      threshold   = var.tolerated_error_ratio.delivery
    }
  }

  # Alerts on a failing uptime check.
  outages = {
    publisher = { title = "Publisher down", severity = "CRITICAL", path = "/health" }
    sweep     = { title = "Sweep overdue", severity = "CRITICAL", path = "/health/sweep" }
  }

  # name => the anchor of its heading in docs/operations.md.
  runbooks = {
    for name, alert in merge(local.thresholds, local.ratios, local.outages) : name => lower(replace(alert.title, " ", "-"))
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

# A deployment that has the alert under its former name keeps it. Without this an apply would replace it.
moved {
  from = google_monitoring_alert_policy.threshold["dead_letters_growing"]
  to   = google_monitoring_alert_policy.threshold["unprocessed_dead_letters"]
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
    content   = "Cause and remedy: docs/operations.md#${local.runbooks[each.key]}"
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
    content   = "Cause and remedy: docs/operations.md#${local.runbooks[each.key]}"
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

  # A new host creates a new check. A check that an alert still uses cannot be deleted, so the new one is created first.
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

      # Counts the regions whose check fails. More than one must fail, because a single region may itself be at fault.
      aggregations {
        alignment_period     = "120s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
    }
  }

  documentation {
    content   = "Cause and remedy: docs/operations.md#${local.runbooks[each.key]}"
    mime_type = "text/markdown"
  }
}
