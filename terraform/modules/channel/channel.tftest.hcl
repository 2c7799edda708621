mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      email  = "heliograph-email@heliograph-test.iam.gserviceaccount.com"
      id     = "projects/heliograph-test/serviceAccounts/heliograph-email@heliograph-test.iam.gserviceaccount.com"
      member = "serviceAccount:heliograph-email@heliograph-test.iam.gserviceaccount.com"
      name   = "projects/heliograph-test/serviceAccounts/heliograph-email@heliograph-test.iam.gserviceaccount.com"
    }
  }
}

variables {
  build_account  = "projects/heliograph-test/serviceAccounts/build@heliograph-test.iam.gserviceaccount.com"
  databases      = { ledger = "roles/datastore.user" }
  dead_letter    = { ack_deadline_seconds = 80, backoff_seconds = [20, 300], uri = "https://dead-letter.example.com" }
  outcomes_topic = { id = "projects/heliograph-test/topics/delivery-outcomes", name = "delivery-outcomes" }
  project_id     = "heliograph-test"
  pubsub_agent   = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
  push_account   = "push@heliograph-test.iam.gserviceaccount.com"
  region         = "europe-west1"
  secrets        = { SENDGRID_API_KEY = "heliograph-sendgrid-api-key" }

  topics = {
    normal = { id = "projects/heliograph-test/topics/notifications", name = "notifications" }
    urgent = { id = "projects/heliograph-test/topics/notifications-urgent", name = "notifications-urgent" }
  }

  bundle = {
    bucket = "heliograph-test-bundles"
    object = "functions/email/0000000000000000000000000000000000000000000000000000000000000000.zip"
    sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
  }

  channel = {
    attempts             = 60
    backoff_seconds      = [10, 600]
    channel_type         = "email"
    concurrency          = 16
    cpu                  = "1"
    memory               = "512Mi"
    secrets              = ["SENDGRID_API_KEY"]
    time_to_live_seconds = 86400
    timeout_seconds      = 60
    title                = "E-mail"
  }
}

run "the_subscription_filters_for_its_channel_type" {
  assert {
    condition     = alltrue([for subscription in google_pubsub_subscription.deliveries : subscription.filter == "attributes.channel = \"email\""])
    error_message = "The filter must be the channel type's."
  }

  assert {
    condition = alltrue([
      for lane, subscription in google_pubsub_subscription.deliveries :
      subscription.name == "${var.topics[lane].name}-email" && subscription.topic == var.topics[lane].id
    ])
    error_message = "Each lane must have a subscription on its topic, named after both."
  }
}

run "every_push_carries_an_identity_token" {
  assert {
    condition = alltrue([
      for subscription in concat(values(google_pubsub_subscription.deliveries), [google_pubsub_subscription.dead]) : (
        subscription.push_config[0].oidc_token[0].service_account_email == var.push_account &&
        subscription.push_config[0].oidc_token[0].audience == subscription.push_config[0].push_endpoint
      )
    ])
    error_message = "Both pushes must carry the push account's token with the endpoint as audience."
  }

  assert {
    condition     = google_pubsub_subscription.deliveries["urgent"].push_config[0].push_endpoint == output.uri
    error_message = "Deliveries must be pushed to the channel's own function."
  }
}

run "the_acknowledgement_deadline_is_longer_than_the_timeout" {
  assert {
    condition     = google_pubsub_subscription.deliveries["urgent"].ack_deadline_seconds == 70
    error_message = "The acknowledgement deadline must be the timeout plus 10 seconds."
  }
}

run "the_longest_timeout_has_a_longer_acknowledgement_deadline" {
  variables {
    channel = {
      attempts             = 5, backoff_seconds = [0, 0], concurrency = 1, cpu = "1", channel_type = "email", memory = "1Gi", secrets = [],
      time_to_live_seconds = 60, timeout_seconds = 540, title = "Slow"
    }
  }

  assert {
    condition     = google_pubsub_subscription.deliveries["urgent"].ack_deadline_seconds == 550
    error_message = "The acknowledgement deadline must be 540 plus 10 seconds."
  }
}

run "the_retry_policy_has_the_declared_backoff" {
  assert {
    condition = (
      google_pubsub_subscription.deliveries["urgent"].retry_policy[0].minimum_backoff == "10s" &&
      google_pubsub_subscription.deliveries["urgent"].retry_policy[0].maximum_backoff == "600s"
    )
    error_message = "The retry policy must be the channel's backoff."
  }
}

run "a_message_becomes_a_dead_letter_after_the_declared_attempts" {
  assert {
    condition = (
      google_pubsub_subscription.deliveries["urgent"].dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead.id &&
      google_pubsub_subscription.deliveries["urgent"].dead_letter_policy[0].max_delivery_attempts == 60
    )
    error_message = "The dead-letter policy must name the channel's own topic and its attempts."
  }

  assert {
    condition     = google_pubsub_topic.dead.name == "notifications-email-dead"
    error_message = "The dead-letter topic must be notifications-email-dead."
  }
}

run "dead_letters_are_pushed_to_their_function_and_kept_31_days" {
  assert {
    condition = (
      google_pubsub_subscription.dead.name == "notifications-email-dead-function" &&
      google_pubsub_subscription.dead.topic == google_pubsub_topic.dead.id &&
      google_pubsub_subscription.dead.push_config[0].push_endpoint == var.dead_letter.uri
    )
    error_message = "The dead-letter topic must be pushed to the dead-letter function."
  }

  assert {
    condition     = google_pubsub_subscription.dead.message_retention_duration == "2678400s" && google_pubsub_subscription.dead.retain_acked_messages
    error_message = "Dead letters must be kept 31 days, acknowledged or not."
  }
}

run "dead_letters_have_their_declared_deadline_and_backoff" {
  assert {
    condition = (
      google_pubsub_subscription.dead.ack_deadline_seconds == 80 &&
      google_pubsub_subscription.dead.retry_policy[0].minimum_backoff == "20s" &&
      google_pubsub_subscription.dead.retry_policy[0].maximum_backoff == "300s"
    )
    error_message = "The subscription of dead letters must have the deadline and the backoff of var.dead_letter."
  }
}

run "pub_sub_may_move_dead_letters_and_count_attempts" {
  assert {
    condition = (
      google_pubsub_topic_iam_member.dead_publisher.topic == google_pubsub_topic.dead.id &&
      google_pubsub_topic_iam_member.dead_publisher.role == "roles/pubsub.publisher" &&
      google_pubsub_topic_iam_member.dead_publisher.member == var.pubsub_agent
    )
    error_message = "Pub/Sub's agent must publish to the dead-letter topic."
  }

  assert {
    condition = (
      google_pubsub_subscription_iam_member.dead_subscriber["urgent"].subscription == google_pubsub_subscription.deliveries["urgent"].id &&
      google_pubsub_subscription_iam_member.dead_subscriber["urgent"].role == "roles/pubsub.subscriber" &&
      google_pubsub_subscription_iam_member.dead_subscriber["urgent"].member == var.pubsub_agent
    )
    error_message = "Pub/Sub's agent must subscribe to the channel's subscription."
  }
}

run "no_subscription_expires" {
  assert {
    condition = alltrue([
      for subscription in concat(values(google_pubsub_subscription.deliveries), [google_pubsub_subscription.dead]) :
      subscription.expiration_policy[0].ttl == ""
    ])
    error_message = "Subscriptions must never expire."
  }
}

run "four_attempts_are_refused" {
  command = plan

  variables {
    channel = {
      attempts             = 4, backoff_seconds = [10, 600], concurrency = 16, cpu = "1", channel_type = "email", memory = "512Mi", secrets = [],
      time_to_live_seconds = 86400, timeout_seconds = 60, title = "E-mail"
    }
  }

  expect_failures = [var.channel]
}

run "a_backoff_over_ten_minutes_is_refused" {
  command = plan

  variables {
    channel = {
      attempts             = 60, backoff_seconds = [10, 601], concurrency = 16, cpu = "1", channel_type = "email", memory = "512Mi", secrets = [],
      time_to_live_seconds = 86400, timeout_seconds = 60, title = "E-mail"
    }
  }

  expect_failures = [var.channel]
}

run "a_timeout_without_a_longer_deadline_is_refused" {
  command = plan

  variables {
    channel = {
      attempts             = 60, backoff_seconds = [10, 600], concurrency = 16, cpu = "1", channel_type = "email", memory = "512Mi", secrets = [],
      time_to_live_seconds = 86400, timeout_seconds = 600, title = "E-mail"
    }
  }

  expect_failures = [var.channel]
}

run "a_declared_secret_without_a_secret_id_is_refused" {
  command = plan

  variables {
    secrets = {}
  }

  expect_failures = [var.secrets]
}

run "an_agent_other_than_pub_subs_is_refused" {
  command = plan

  variables {
    pubsub_agent = "serviceAccount:other@example.com"
  }

  expect_failures = [var.pubsub_agent]
}
