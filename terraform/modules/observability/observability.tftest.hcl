mock_provider "google" {}
mock_provider "time" {}

variables {
  emails                     = ["operator@example.com"]
  outcomes_dead_subscription = "delivery-outcomes-dead-kept"
  outcomes_subscription      = "delivery-outcomes-publisher"
  project_id                 = "heliograph-test"
  project_number             = "123456789012"
  publisher_host             = "heliograph.example.com"

  channels = {
    email = {
      dead_letter_subscription = "notifications-email-dead-function"
      subscriptions            = { normal = "notifications-email", urgent = "notifications-urgent-email" }
    }
    sms = {
      dead_letter_subscription = "notifications-sms-dead-function"
      subscriptions            = { normal = "notifications-sms", urgent = "notifications-urgent-sms" }
    }
  }
}

run "every_alert_has_a_recipient_and_a_runbook" {
  assert {
    condition = alltrue([
      for alert in concat(
        values(google_monitoring_alert_policy.threshold),
        values(google_monitoring_alert_policy.ratio),
        values(google_monitoring_alert_policy.outage),
      ) : length(alert.notification_channels) == 1 && strcontains(alert.documentation[0].content, "docs/operations.md#")
    ])
    error_message = "Every alert must have a notification channel and a link to its runbook."
  }
}

run "every_known_failure_has_an_alert" {
  assert {
    condition = length(setsubtract(
      ["dead_letters", "unprocessed_dead_letters", "oldest_unacked", "push_errors", "delivery_errors", "credentials_refused", "publisher", "sweep"],
      keys(output.alerts),
    )) == 0
    error_message = "An alert is missing."
  }
}

run "every_subscription_for_deliveries_and_outcomes_is_monitored" {
  assert {
    condition = alltrue([
      for name in ["notifications-email", "notifications-urgent-email", "notifications-sms", "delivery-outcomes-publisher"] :
      strcontains(google_monitoring_alert_policy.threshold["oldest_unacked"].conditions[0].condition_threshold[0].filter, "\"${name}\"")
    ])
    error_message = "The age of unacknowledged messages must be monitored on every subscription."
  }
}

run "every_subscription_for_dead_letters_is_monitored" {
  assert {
    condition = alltrue([
      for name in ["notifications-email-dead-function", "notifications-sms-dead-function", "delivery-outcomes-dead-kept"] :
      strcontains(google_monitoring_alert_policy.threshold["unprocessed_dead_letters"].conditions[0].condition_threshold[0].filter, "\"${name}\"")
    ])
    error_message = "Every subscription for dead letters must be monitored."
  }
}

run "metrics_match_the_event_field" {
  assert {
    condition = alltrue([
      for metric in [google_logging_metric.attempts, google_logging_metric.credentials_refused] :
      strcontains(metric.filter, "jsonPayload.event=") && !strcontains(metric.filter, "jsonPayload.logger") && !strcontains(metric.filter, "jsonPayload.message")
    ])
    error_message = "A metric must match the log field `event`, never a module or a sentence."
  }

  assert {
    condition     = google_logging_metric.attempts.label_extractors["channel_type"] == "EXTRACT(jsonPayload.channel_type)"
    error_message = "The metric of attempts must have the channel type as a label."
  }

  assert {
    condition     = google_logging_metric.attempts.label_extractors["event"] == "EXTRACT(jsonPayload.event)"
    error_message = "The metric of attempts must have the event as a label."
  }
}

run "delivery_errors_are_failures_and_failed_attempts" {
  assert {
    condition = strcontains(
      google_monitoring_alert_policy.ratio["delivery_errors"].conditions[0].condition_threshold[0].filter,
      "metric.labels.event = one_of(\"delivery.failed\", \"delivery.attempt_failed\", \"delivery.deferred\")",
    )
    error_message = "The numerator must count delivery.failed, delivery.attempt_failed and delivery.deferred."
  }
}

run "one_dead_letter_raises_an_alert" {
  assert {
    condition     = google_monitoring_alert_policy.threshold["dead_letters"].conditions[0].condition_threshold[0].threshold_value == 0
    error_message = "The threshold must be zero."
  }
}

run "delivery_errors_are_counted_per_channel_type" {
  assert {
    condition     = google_monitoring_alert_policy.ratio["delivery_errors"].conditions[0].condition_threshold[0].aggregations[0].group_by_fields[0] == "metric.label.channel_type"
    error_message = "The ratio must be per channel type."
  }
}

run "the_sweep_has_an_uptime_check_of_its_own" {
  assert {
    condition     = google_monitoring_uptime_check_config.publisher["sweep"].http_check[0].path == "/health/sweep"
    error_message = "There must be an uptime check of /health/sweep."
  }
}

run "the_uptime_check_keeps_the_publishers_path_prefix" {
  variables {
    publisher_path = "/api/v1/web/fn-1/publisher/api"
  }

  assert {
    condition     = google_monitoring_uptime_check_config.publisher["publisher"].http_check[0].path == "/api/v1/web/fn-1/publisher/api/health"
    error_message = "The prefix before /health must be kept."
  }
}

run "without_a_billing_account_there_is_no_budget" {
  assert {
    condition     = length(google_billing_budget.this) == 0
    error_message = "There must be no budget without a billing account."
  }
}

run "the_budget_warns_on_forecast_spending" {
  variables {
    billing_account = "012345-6789AB-CDEF01"
  }

  assert {
    condition     = contains([for rule in google_billing_budget.this[0].threshold_rules : rule.spend_basis], "FORECASTED_SPEND")
    error_message = "The budget must have a threshold on forecast spending."
  }
}

run "alerts_without_a_recipient_are_refused" {
  command = plan

  variables {
    emails = []
  }

  expect_failures = [var.emails]
}

run "an_error_ratio_in_percent_is_refused" {
  command = plan

  variables {
    tolerated_error_ratio = { delivery = 5 }
  }

  expect_failures = [var.tolerated_error_ratio]
}

run "a_malformed_billing_account_is_refused" {
  command = plan

  variables {
    billing_account = "my account"
  }

  expect_failures = [var.billing_account]
}
