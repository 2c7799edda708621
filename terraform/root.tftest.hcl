mock_provider "digitalocean" {}
mock_provider "google" {}
mock_provider "time" {}

# Every run only plans: `prevent_destroy` would stop a test from destroying what it applied.
variables {
  alert_emails       = ["operator@example.com"]
  environment        = "test"
  ledger_database    = "ledger"
  project_id         = "heliograph-test"
  publisher_git      = { branch = "main", url = "https://git.example.com/heliograph.git" }
  publisher_identity = { kind = "keyless", jwks_file = "environments/example.jwks.json" }
  publisher_registry = { name = "heliograph-test" }

  continuous_delivery = {
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

run "there_is_one_channel_module_per_declared_channel_type" {
  command = plan

  assert {
    condition     = join(",", keys(module.channel)) == join(",", keys(jsondecode(file("../shared/channels.json"))))
    error_message = "There must be one module per channel type of shared/channels.json."
  }
}

run "every_subscription_filters_for_its_channel_type" {
  command = plan

  assert {
    condition = alltrue([
      for channel_type, channel in module.channel :
      channel.filter == "attributes.channel = \"${channel_type}\"" && channel.subscriptions == {
        bulk = "notifications-bulk-${channel_type}", normal = "notifications-${channel_type}", urgent = "notifications-urgent-${channel_type}"
      }
    ])
    error_message = "Filter and name must be derived from the channel type."
  }
}

run "topics_keep_messages_for_seven_days" {
  command = plan

  assert {
    condition = alltrue([
      for topic in concat(values(google_pubsub_topic.notifications), [google_pubsub_topic.outcomes]) : topic.message_retention_duration == "604800s"
    ])
    error_message = "These topics must keep messages for 7 days, so that a seek can deliver them again."
  }
}

run "outcomes_are_pushed_with_a_token_and_kept_if_undeliverable" {
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
    error_message = "Outcomes that the publisher does not accept must be kept 31 days."
  }

  assert {
    condition = (
      google_pubsub_topic_iam_member.outcomes_dead_publisher.role == "roles/pubsub.publisher" &&
      google_pubsub_subscription_iam_member.outcomes_dead_subscriber.role == "roles/pubsub.subscriber"
    )
    error_message = "Pub/Sub's service agent must have both grants."
  }
}

run "a_keyless_publisher_has_no_service_account_and_no_key" {
  command = plan

  assert {
    condition = (
      length(google_service_account.publisher) == 0 && length(google_service_account_key.publisher) == 0 &&
      google_iam_workload_identity_pool_provider.publisher[0].attribute_condition == "assertion.sub == \"heliograph-publisher\""
    )
    error_message = "The keyless publisher must be identified only by its public key and its subject."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.publisher[0].oidc[0].jwks_json == file("environments/example.jwks.json")
    error_message = "The provider must trust the keys of the file."
  }
}

run "a_publisher_key_is_rotated_every_30_days" {
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

run "the_publisher_gets_the_settings_of_the_inbox_that_are_set" {
  command = plan

  variables {
    publisher_inbox = { firebase_project = "shop", origins = ["https://shop.example", "https://app.example"] }
  }

  assert {
    condition = (
      output.publisher_environment.FIREBASE_PROJECT == "shop" && output.publisher_environment.INBOX_OIDC_ISSUER == "" &&
      output.publisher_environment.INBOX_ORIGINS == "https://app.example,https://shop.example"
    )
    error_message = "Functions need a value for every name, also an empty one."
  }
}

run "an_identity_provider_without_an_audience_is_refused" {
  command = plan

  variables {
    publisher_inbox = { oidc_issuer = "https://issuer.example" }
  }

  expect_failures = [var.publisher_inbox]
}

run "two_identity_providers_are_refused" {
  command = plan

  variables {
    publisher_inbox = { firebase_project = "shop", oidc_audience = "shop", oidc_issuer = "https://issuer.example" }
  }

  expect_failures = [var.publisher_inbox]
}

run "an_origin_with_a_path_is_refused" {
  command = plan

  variables {
    publisher_inbox = { origins = ["https://shop.example/inbox"] }
  }

  expect_failures = [var.publisher_inbox]
}

run "the_publisher_gets_the_issuer_of_producers" {
  command = plan

  variables {
    publisher_producers = { jwt_audience = "heliograph", jwt_issuer = "https://issuer.example" }
  }

  assert {
    condition = (
      output.publisher_environment.PRODUCER_JWT_ISSUER == "https://issuer.example" &&
      output.publisher_environment.PRODUCER_JWT_AUDIENCE == "heliograph" && output.publisher_environment.PRODUCER_JWT_JWKS_URL == ""
    )
    error_message = "Functions need a value for every name, also an empty one."
  }
}

run "an_issuer_of_producers_without_an_audience_is_refused" {
  command = plan

  variables {
    publisher_producers = { jwt_issuer = "https://issuer.example" }
  }

  expect_failures = [var.publisher_producers]
}

run "the_publisher_gets_the_secret_of_producers" {
  command = plan

  variables {
    publisher_producers             = { jwt_audience = "heliograph", jwt_issuer = "https://issuer.example" }
    publisher_producer_token_secret = "0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = contains(keys(local.secrets_of_publisher), "PRODUCER_JWT_SECRET") && !contains(keys(local.secrets_of_publisher), "INBOX_TOKEN_SECRET")
    error_message = "The publisher must get the secrets that are given, and no others."
  }
}

run "a_secret_of_producers_without_an_issuer_is_refused" {
  command = plan

  variables {
    publisher_producer_token_secret = "0123456789abcdef0123456789abcdef"
  }

  expect_failures = [var.publisher_producer_token_secret]
}

run "a_short_secret_of_inbox_tokens_is_refused" {
  command = plan

  variables {
    publisher_inbox_token_secret = "short"
  }

  expect_failures = [var.publisher_inbox_token_secret]
}

run "the_publisher_may_publish_to_the_topic_of_each_lane" {
  command = plan

  assert {
    condition = (
      keys(google_pubsub_topic_iam_member.publisher) == keys(google_pubsub_topic.notifications) &&
      alltrue([for grant in google_pubsub_topic_iam_member.publisher : grant.role == "roles/pubsub.publisher"])
    )
    error_message = "The publisher must have the publisher role on the topic of each lane."
  }
}

run "every_declared_and_optional_secret_exists" {
  command = plan

  variables {
    optional_secrets = { email = ["SMTP_URL"] }
  }

  assert {
    condition = length(setsubtract(
      concat(flatten([for channel in values(jsondecode(file("../shared/channels.json"))) : channel.secrets]), ["SMTP_URL"]),
      keys(google_secret_manager_secret.this),
    )) == 0
    error_message = "Each secret of a channel type must exist in Secret Manager."
  }
}

run "a_secret_is_sent_again_when_its_version_number_is_raised" {
  command = plan

  variables {
    secret_versions = { SENDGRID_API_KEY = 2 }
  }

  # Version 7 of the provider has a number here, version 8 a string.
  assert {
    condition     = tostring(google_secret_manager_secret_version.this["SENDGRID_API_KEY"].secret_data_wo_version) == "2"
    error_message = "The version number must be the given one."
  }
}

run "the_doctors_settings_contain_every_url" {
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
    target = module.publisher
    outputs = {
      app_id              = "app"
      database_ca_cert    = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
      database_cluster_id = "cluster"
      database_pool_uri   = null
      registry_endpoint   = "registry.example.com/heliograph"
      url                 = "https://app.example.com"
    }
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
      subscriptions            = { normal = "channel" }
      uri                      = "https://channel.example.com"
    }
  }

  assert {
    condition = alltrue([
      for line in concat(
        [
          "DATABASE_CA_CERT=-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----",
          "FUNCTION_URL_DEAD_LETTER=https://dead.example.com",
          "PUBLISHER_URL=https://notifications.example.com",
          "PUSH_SERVICE_ACCOUNT=push@heliograph-test.iam.gserviceaccount.com",
        ],
        [for channel_type in keys(jsondecode(file("../shared/channels.json"))) : "FUNCTION_URL_${upper(channel_type)}=https://channel.example.com"],
      ) : contains(split("\n", output.doctor_environment), line)
    ])
    error_message = "The settings must contain the URL of each function and of the publisher, the push account, and the CA of Postgres."
  }
}

run "a_ledger_that_was_not_moved_yet_stays_with_the_inboxes" {
  command = plan

  variables {
    ledger_database = "(default)"
  }

  assert {
    condition     = local.databases_of_function == { for name in local.functions : name => { "(default)" = "roles/datastore.user" } }
    error_message = "Every function must use the database of the inboxes, and no other."
  }

  assert {
    condition     = join(",", sort(module.inbox.ttl_fields)) == "deliveries/expire_at,erased/expire_at,inbox/expire_at"
    error_message = "The database of the inboxes must have the time-to-live fields of the ledger and of the inboxes."
  }
}

run "a_ledger_in_a_database_that_is_not_declared_is_refused" {
  command = plan

  variables {
    ledger_database = "ledger-2"
  }

  expect_failures = [var.ledger_database]
}

run "bundles_of_a_release_are_not_uploaded_again" {
  command = plan

  assert {
    condition     = length(google_storage_bucket_object.bundle) == 0
    error_message = "A bundle named in bundle_hashes must not be uploaded."
  }
}

run "without_continuous_delivery_there_are_no_triggers" {
  command = plan

  variables {
    continuous_delivery = null
  }

  assert {
    condition     = length(google_cloudbuild_trigger.this) == 0
    error_message = "There must be no trigger without continuous_delivery."
  }
}

run "an_apply_needs_approval_and_pull_requests_run_as_the_reviewer" {
  command = plan

  variables {
    continuous_delivery = merge(var.continuous_delivery, { reviewer = "review@heliograph-test.iam.gserviceaccount.com" })
  }

  assert {
    condition = (
      google_cloudbuild_trigger.this["apply"].approval_config[0].approval_required &&
      google_cloudbuild_trigger.this["apply"].git_file_source[0].path == "cloudbuild.apply.yaml"
    )
    error_message = "The apply trigger must require approval."
  }

  assert {
    condition     = endswith(google_cloudbuild_trigger.this["pull-request"].service_account, "/review@heliograph-test.iam.gserviceaccount.com")
    error_message = "The pull-request trigger must run as the reviewer."
  }

  assert {
    condition     = google_cloudbuild_trigger.this["main"].substitutions["_REGISTRY"] == "heliograph-test"
    error_message = "The image must be pushed to the declared registry."
  }
}

run "a_release_with_a_removed_channel_type_can_be_planned" {
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
    error_message = "A channel type that only a release names must not be created."
  }
}

run "a_reviewer_with_a_publisher_key_in_the_state_is_refused" {
  command = plan

  variables {
    continuous_delivery = merge(var.continuous_delivery, { reviewer = "review@heliograph-test.iam.gserviceaccount.com" })
    publisher_identity  = { kind = "key" }
  }

  expect_failures = [var.continuous_delivery]
}

run "without_a_reviewer_there_is_no_pull_request_trigger" {
  command = plan

  assert {
    condition     = join(",", keys(google_cloudbuild_trigger.this)) == "apply,main"
    error_message = "There must be no pull-request trigger without a reviewer."
  }
}

run "a_build_may_read_cloud_functions_copies_of_bundles" {
  command = plan

  assert {
    condition     = strcontains(google_project_iam_member.build_sources.condition[0].expression, "projects/_/buckets/gcf-v2-sources-")
    error_message = "The build account must be able to read Cloud Functions' own bucket."
  }
}

run "a_malformed_bundle_hash_is_refused" {
  command = plan

  variables {
    bundle_hashes = { email = "latest" }
  }

  expect_failures = [var.bundle_hashes]
}

run "a_keyless_publisher_without_public_keys_is_refused" {
  command = plan

  variables {
    publisher_identity = { kind = "keyless" }
  }

  expect_failures = [var.publisher_identity]
}

run "incomplete_secrets_are_refused" {
  command = plan

  variables {
    secrets = { SENDGRID_API_KEY = "only one" }
  }

  expect_failures = [var.secrets]
}

run "a_version_number_of_an_unknown_secret_is_refused" {
  command = plan

  variables {
    secret_versions = { SENDGRID_KEY = 2 }
  }

  expect_failures = [var.secret_versions]
}

run "settings_of_an_unknown_channel_type_are_refused" {
  command = plan

  variables {
    channel_environment = { pigeon = { COLOUR = "grey" } }
  }

  expect_failures = [var.channel_environment]
}

run "the_functions_runtime_without_a_url_is_refused" {
  command = plan

  variables {
    publisher_database_open_to_internet = true
    publisher_runtime                   = "functions"
  }

  expect_failures = [var.publisher_url]
}

run "the_functions_runtime_with_a_publisher_key_is_refused" {
  command = plan

  variables {
    publisher_database_open_to_internet = true
    publisher_identity                  = { kind = "key" }
    publisher_runtime                   = "functions"
    publisher_url                       = "https://functions.example.com/api/v1/web/fn-1/publisher/api"
  }

  expect_failures = [var.publisher_identity]
}

run "a_publisher_url_without_tls_is_refused" {
  command = plan

  variables {
    publisher_url = "http://notifications.example.com"
  }

  expect_failures = [var.publisher_url]
}
