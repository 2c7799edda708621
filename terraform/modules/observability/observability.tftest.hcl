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
      subscription             = "notifications-email"
    }
    sms = {
      dead_letter_subscription = "notifications-sms-dead-function"
      subscription             = "notifications-sms"
    }
  }
}

run "every_alert_reaches_a_person_and_says_what_to_do" {
  assert {
    condition = alltrue([
      for alert in concat(
        values(google_monitoring_alert_policy.threshold),
        values(google_monitoring_alert_policy.ratio),
        values(google_monitoring_alert_policy.outage),
      ) : length(alert.notification_channels) == 1 && strcontains(alert.documentation[0].content, "docs/operations.md#")
    ])
    error_message = "Every alert must have somebody to go to and a runbook."
  }
}

run "every_failure_the_design_names_has_an_alert" {
  assert {
    condition = length(setsubtract(
      ["dead_letters", "dead_letters_growing", "oldest_unacked", "push_errors", "delivery_errors", "credentials_refused", "publisher", "sweep"],
      keys(output.alerts),
    )) == 0
    error_message = "An alert is missing."
  }
}

run "every_channel_and_the_way_home_are_watched" {
  assert {
    condition = alltrue([
      for name in ["notifications-email", "notifications-sms", "delivery-outcomes-publisher"] :
      strcontains(google_monitoring_alert_policy.threshold["oldest_unacked"].conditions[0].condition_threshold[0].filter, "\"${name}\"")
    ])
    error_message = "The age of waiting messages must be watched on every subscription."
  }
}

run "dead_letters_that_nobody_takes_are_watched" {
  assert {
    condition = alltrue([
      for name in ["notifications-email-dead-function", "notifications-sms-dead-function", "delivery-outcomes-dead-kept"] :
      strcontains(google_monitoring_alert_policy.threshold["dead_letters_growing"].conditions[0].condition_threshold[0].filter, "\"${name}\"")
    ])
    error_message = "Every subscription of dead letters must be watched."
  }
}

run "one_dead_letter_is_enough_for_an_alert" {
  assert {
    condition     = google_monitoring_alert_policy.threshold["dead_letters"].conditions[0].condition_threshold[0].threshold_value == 0
    error_message = "The threshold must be zero."
  }
}

run "delivery_errors_are_counted_per_channel" {
  assert {
    condition     = google_monitoring_alert_policy.ratio["delivery_errors"].conditions[0].condition_threshold[0].aggregations[0].group_by_fields[0] == "metric.label.channel"
    error_message = "The ratio must be per channel."
  }
}

run "the_sweep_is_asked_after_by_itself" {
  assert {
    condition     = google_monitoring_uptime_check_config.publisher["sweep"].http_check[0].path == "/health/sweep"
    error_message = "There must be a check of the sweep."
  }
}

run "a_publisher_behind_a_path_is_asked_there" {
  variables {
    publisher_path = "/api/v1/web/fn-1/publisher/api"
  }

  assert {
    condition     = google_monitoring_uptime_check_config.publisher["publisher"].http_check[0].path == "/api/v1/web/fn-1/publisher/api/health"
    error_message = "The path before /health must be kept."
  }
}

run "without_a_billing_account_there_is_no_budget" {
  assert {
    condition     = length(google_billing_budget.this) == 0
    error_message = "No billing account, no budget."
  }
}

run "a_budget_warns_before_the_money_is_spent" {
  variables {
    billing_account = "012345-6789AB-CDEF01"
  }

  assert {
    condition     = contains([for rule in google_billing_budget.this[0].threshold_rules : rule.spend_basis], "FORECASTED_SPEND")
    error_message = "The budget must warn on the forecast."
  }
}

run "alerts_for_nobody_are_refused" {
  command = plan

  variables {
    emails = []
  }

  expect_failures = [var.emails]
}

run "a_ratio_in_percent_is_refused" {
  command = plan

  variables {
    tolerated_error_ratio = { delivery = 5 }
  }

  expect_failures = [var.tolerated_error_ratio]
}

run "a_billing_account_that_is_none_is_refused" {
  command = plan

  variables {
    billing_account = "my account"
  }

  expect_failures = [var.billing_account]
}
