mock_provider "digitalocean" {}
mock_provider "google" {}
mock_provider "time" {}

# Every run plans only: `prevent_destroy` would keep a test from taking down what it applied.
variables {
  alert_emails       = ["operator@example.com"]
  environment        = "test"
  project_id         = "heliograph-test"
  publisher_git      = { branch = "main", url = "https://git.example.com/heliograph.git" }
  publisher_identity = { kind = "keyless", jwks_file = "environments/example.jwks.json" }
  publisher_registry = { name = "heliograph-test" }

  delivery = {
    deployer   = "deploy@heliograph-test.iam.gserviceaccount.com"
    repository = "projects/heliograph-test/locations/europe-west1/connections/git/repositories/heliograph"
  }

  bundle_hashes = {
    dead_letter = "0000000000000000000000000000000000000000000000000000000000000000"
    email       = "0000000000000000000000000000000000000000000000000000000000000000"
    inapp       = "0000000000000000000000000000000000000000000000000000000000000000"
    push        = "0000000000000000000000000000000000000000000000000000000000000000"
    sms         = "0000000000000000000000000000000000000000000000000000000000000000"
    webhook     = "0000000000000000000000000000000000000000000000000000000000000000"
  }
}

run "channels_come_from_the_declaration_and_from_nowhere_else" {
  command = plan

  assert {
    condition     = join(",", keys(module.channel)) == join(",", keys(jsondecode(file("../shared/channels.json"))))
    error_message = "There must be one module a channel of shared/channels.json."
  }
}

run "every_subscription_filters_for_its_channel" {
  command = plan

  assert {
    condition = alltrue([
      for kind, channel in module.channel :
      channel.filter == "attributes.channel = \"${kind}\"" && channel.subscription == "notifications-${kind}"
    ])
    error_message = "Filters and names must follow from the channel."
  }
}

run "topics_keep_what_was_published" {
  command = plan

  assert {
    condition = alltrue([
      for topic in [google_pubsub_topic.notifications, google_pubsub_topic.outcomes] : topic.message_retention_duration == "604800s"
    ])
    error_message = "Both topics must keep messages for 7 days, so that a subscription can be sought back."
  }
}

run "outcomes_come_home_with_proof_and_are_never_lost" {
  command = plan

  variables {
    publisher_url = "https://notifications.example.com"
  }

  assert {
    condition = (
      google_pubsub_subscription.outcomes.push_config[0].push_endpoint == "https://notifications.example.com/internal/outcomes" &&
      google_pubsub_subscription.outcomes.push_config[0].oidc_token[0].audience == output.push_audience
    )
    error_message = "Outcomes must be pushed to the publisher with a token for its audience."
  }

  assert {
    condition = (
      google_pubsub_subscription.outcomes.dead_letter_policy[0].max_delivery_attempts == 100 &&
      google_pubsub_subscription.outcomes_dead.name == "delivery-outcomes-dead-kept" &&
      google_pubsub_subscription.outcomes_dead.message_retention_duration == "2678400s"
    )
    error_message = "Outcomes that cannot be delivered must be kept 31 days."
  }

  assert {
    condition = (
      google_pubsub_topic_iam_member.outcomes_dead_publisher.role == "roles/pubsub.publisher" &&
      google_pubsub_subscription_iam_member.outcomes_dead_subscriber.role == "roles/pubsub.subscriber"
    )
    error_message = "Pub/Sub's agent needs both grants."
  }
}

run "a_keyless_publisher_has_no_account_and_no_key" {
  command = plan

  assert {
    condition = (
      length(google_service_account.publisher) == 0 && length(google_service_account_key.publisher) == 0 &&
      google_iam_workload_identity_pool_provider.publisher[0].attribute_condition == "assertion.sub == \"heliograph-publisher\""
    )
    error_message = "The keyless publisher must be known by its public key and its subject alone."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.publisher[0].oidc[0].jwks_json == file("environments/example.jwks.json")
    error_message = "The provider must trust the keys in the file."
  }
}

run "a_publisher_with_a_key_gets_a_new_one_every_month" {
  command = plan

  variables {
    publisher_identity = { kind = "key" }
  }

  assert {
    condition = (
      length(google_iam_workload_identity_pool.publisher) == 0 && length(google_service_account_key.publisher) == 1 &&
      time_rotating.publisher_key[0].rotation_days == 30
    )
    error_message = "The key must be rotated every 30 days."
  }
}

run "the_publisher_may_publish_to_one_topic" {
  command = plan

  assert {
    condition     = google_pubsub_topic_iam_member.publisher.role == "roles/pubsub.publisher"
    error_message = "The publisher's one role is to publish."
  }
}

run "every_secret_of_every_channel_has_a_place" {
  command = plan

  variables {
    optional_secrets = { email = ["SMTP_URL"] }
  }

  assert {
    condition = length(setsubtract(
      concat(flatten([for channel in values(jsondecode(file("../shared/channels.json"))) : channel.secrets]), ["SMTP_URL"]),
      keys(google_secret_manager_secret.this),
    )) == 0
    error_message = "Each name in a channel's secrets must be a secret."
  }
}

run "a_secret_is_sent_again_when_its_number_grows" {
  command = plan

  variables {
    secret_versions = { SENDGRID_API_KEY = 2 }
  }

  # Version 7 of the provider counts in numbers, version 8 in strings.
  assert {
    condition     = tostring(google_secret_manager_secret_version.this["SENDGRID_API_KEY"].secret_data_wo_version) == "2"
    error_message = "The version's number must be the one given."
  }
}

run "the_doctor_is_told_every_address" {
  command = plan

  variables {
    publisher_url = "https://notifications.example.com"
  }

  override_resource {
    target          = google_service_account.push
    override_during = plan
    values          = { email = "push@heliograph-test.iam.gserviceaccount.com" }
  }

  override_module {
    target = module.dead_letter
    outputs = {
      account = "dead@heliograph-test.iam.gserviceaccount.com"
      name    = "heliograph-dead-letter"
      uri     = "https://dead.example.com"
    }
  }

  override_module {
    target = module.channel
    outputs = {
      account                  = "channel@heliograph-test.iam.gserviceaccount.com"
      dead_letter_subscription = "dead"
      dead_letter_topic        = "dead"
      filter                   = "filter"
      function                 = "heliograph-channel"
      subscription             = "channel"
      uri                      = "https://channel.example.com"
    }
  }

  assert {
    condition = alltrue([
      for line in concat(
        [
          "FUNCTION_URL_DEAD_LETTER=https://dead.example.com",
          "PUBLISHER_URL=https://notifications.example.com",
          "PUSH_SERVICE_ACCOUNT=push@heliograph-test.iam.gserviceaccount.com",
        ],
        [for kind in keys(jsondecode(file("../shared/channels.json"))) : "FUNCTION_URL_${upper(kind)}=https://channel.example.com"],
      ) : contains(split("\n", output.doctor_environment), line)
    ])
    error_message = "Each function's address must be a line."
  }
}

run "nothing_is_uploaded_that_a_release_names" {
  command = plan

  assert {
    condition     = length(google_storage_bucket_object.bundle) == 0
    error_message = "Bundles of a release are in the bucket already."
  }
}

run "without_a_repository_there_are_no_triggers" {
  command = plan

  variables {
    delivery = null
  }

  assert {
    condition     = length(google_cloudbuild_trigger.this) == 0
    error_message = "No repository, no triggers."
  }
}

run "what_reaches_production_was_approved" {
  command = plan

  variables {
    delivery = merge(var.delivery, { reviewer = "review@heliograph-test.iam.gserviceaccount.com" })
  }

  assert {
    condition = (
      google_cloudbuild_trigger.this["apply"].approval_config[0].approval_required &&
      google_cloudbuild_trigger.this["apply"].git_file_source[0].path == "cloudbuild.apply.yaml"
    )
    error_message = "The apply must wait for a person."
  }

  assert {
    condition     = endswith(google_cloudbuild_trigger.this["pull-request"].service_account, "/review@heliograph-test.iam.gserviceaccount.com")
    error_message = "What a pull request brings must not run with the rights to deploy."
  }

  assert {
    condition     = google_cloudbuild_trigger.this["main"].substitutions["_REGISTRY"] == "heliograph-test"
    error_message = "The image must be pushed to the registry that was made."
  }
}

run "a_release_from_before_a_channel_was_removed_can_be_gone_back_to" {
  command = plan

  variables {
    bundle_hashes = {
      dead_letter = "0000000000000000000000000000000000000000000000000000000000000000"
      email       = "0000000000000000000000000000000000000000000000000000000000000000"
      inapp       = "0000000000000000000000000000000000000000000000000000000000000000"
      pigeon      = "0000000000000000000000000000000000000000000000000000000000000000"
      push        = "0000000000000000000000000000000000000000000000000000000000000000"
      sms         = "0000000000000000000000000000000000000000000000000000000000000000"
      webhook     = "0000000000000000000000000000000000000000000000000000000000000000"
    }
  }

  assert {
    condition     = !contains(keys(module.channel), "pigeon")
    error_message = "A channel comes from the declaration, not from a release."
  }
}

run "pull_requests_are_not_run_where_reading_the_state_is_enough_to_do_harm" {
  command = plan

  variables {
    delivery           = merge(var.delivery, { reviewer = "review@heliograph-test.iam.gserviceaccount.com" })
    publisher_identity = { kind = "key" }
  }

  expect_failures = [var.delivery]
}

run "without_a_reviewer_pull_requests_are_not_run" {
  command = plan

  assert {
    condition     = join(",", keys(google_cloudbuild_trigger.this)) == "apply,main"
    error_message = "There must be no trigger without an account."
  }
}

run "a_build_may_fetch_the_copies_that_it_is_made_from" {
  command = plan

  assert {
    condition     = strcontains(google_project_iam_member.build_sources.condition[0].expression, "projects/_/buckets/gcf-v2-sources-")
    error_message = "A build finds its source in Cloud Functions' own bucket."
  }
}

run "a_hash_that_is_none_is_refused" {
  command = plan

  variables {
    bundle_hashes = { email = "latest" }
  }

  expect_failures = [var.bundle_hashes]
}

run "a_keyless_publisher_without_keys_is_refused" {
  command = plan

  variables {
    publisher_identity = { kind = "keyless" }
  }

  expect_failures = [var.publisher_identity]
}

run "secrets_that_are_not_all_there_are_refused" {
  command = plan

  variables {
    secrets = { SENDGRID_API_KEY = "only one" }
  }

  expect_failures = [var.secrets]
}

run "a_version_of_an_unknown_secret_is_refused" {
  command = plan

  variables {
    secret_versions = { SENDGRID_KEY = 2 }
  }

  expect_failures = [var.secret_versions]
}

run "settings_of_an_unknown_channel_are_refused" {
  command = plan

  variables {
    channel_environment = { pigeon = { COLOUR = "grey" } }
  }

  expect_failures = [var.channel_environment]
}

run "functions_without_an_address_are_refused" {
  command = plan

  variables {
    publisher_database_open_to_internet = true
    publisher_runtime                   = "functions"
  }

  expect_failures = [var.publisher_url]
}

run "functions_with_a_key_that_could_not_be_rotated_are_refused" {
  command = plan

  variables {
    publisher_database_open_to_internet = true
    publisher_identity                  = { kind = "key" }
    publisher_runtime                   = "functions"
    publisher_url                       = "https://functions.example.com/api/v1/web/fn-1/publisher/api"
  }

  expect_failures = [var.publisher_identity]
}

run "an_address_without_tls_is_refused" {
  command = plan

  variables {
    publisher_url = "http://notifications.example.com"
  }

  expect_failures = [var.publisher_url]
}
