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
  build_account       = "projects/heliograph-test/serviceAccounts/build@heliograph-test.iam.gserviceaccount.com"
  description         = "Heliograph: E-mail"
  entry_point         = "email"
  invoker             = "serviceAccount:push@heliograph-test.iam.gserviceaccount.com"
  name                = "heliograph-email"
  outcomes_topic      = "projects/heliograph-test/topics/delivery-outcomes"
  outcomes_topic_name = "delivery-outcomes"
  project_id          = "heliograph-test"
  region              = "europe-west1"
  secrets             = { SENDGRID_API_KEY = "heliograph-sendgrid-api-key" }

  bundle = {
    bucket = "heliograph-test-bundles"
    object = "functions/email/0000000000000000000000000000000000000000000000000000000000000000.zip"
    sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
  }
}

run "the_function_runs_as_an_account_of_its_own" {
  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].service_account_email == google_service_account.this.email
    error_message = "The function must run as its own account."
  }

  assert {
    condition     = google_service_account.this.account_id == var.name
    error_message = "The account must be named after the function."
  }
}

run "the_function_publishes_to_the_outcomes_topic_and_to_no_other" {
  assert {
    condition     = google_pubsub_topic_iam_member.outcomes.topic == var.outcomes_topic && google_pubsub_topic_iam_member.outcomes.role == "roles/pubsub.publisher"
    error_message = "The right to publish must be on the outcomes topic."
  }
}

run "the_function_reads_its_own_secrets_by_a_grant_on_each" {
  assert {
    condition = (
      join(",", keys(google_secret_manager_secret_iam_member.reader)) == "SENDGRID_API_KEY" &&
      google_secret_manager_secret_iam_member.reader["SENDGRID_API_KEY"].secret_id == "heliograph-sendgrid-api-key"
    )
    error_message = "There must be one grant a secret, on that secret."
  }

  assert {
    condition     = length(google_project_iam_member.provider) == 0
    error_message = "Without `roles` there must be no project-wide role but Firestore's."
  }
}

run "firestore_is_granted_on_one_database" {
  assert {
    condition     = strcontains(google_project_iam_member.firestore.condition[0].expression, "projects/heliograph-test/databases/(default)")
    error_message = "The Firestore role must be conditioned on the database."
  }
}

run "only_the_push_account_may_call" {
  assert {
    condition = (
      google_cloud_run_service_iam_member.invoker.member == var.invoker &&
      google_cloud_run_service_iam_member.invoker.service == google_cloudfunctions2_function.this.name
    )
    error_message = "The invoker must be the push account, on the service behind the function."
  }

  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"
    error_message = "The function must take no call from outside Google Cloud."
  }
}

run "the_server_takes_as_many_requests_as_cloud_run_sends" {
  variables {
    limits = { concurrency = 48 }
  }

  assert {
    condition = (
      google_cloudfunctions2_function.this.service_config[0].max_instance_request_concurrency == 48 &&
      google_cloudfunctions2_function.this.service_config[0].environment_variables["THREADS"] == "48"
    )
    error_message = "THREADS must follow the concurrency."
  }
}

run "a_public_function_is_refused" {
  command = plan

  variables {
    invoker = "allUsers"
  }

  expect_failures = [var.invoker]
}

run "a_project_wide_secret_role_is_refused" {
  command = plan

  variables {
    roles = ["roles/secretmanager.secretAccessor"]
  }

  expect_failures = [var.roles]
}

run "concurrency_on_half_a_cpu_is_refused" {
  command = plan

  variables {
    limits = { cpu = "0.5", concurrency = 16 }
  }

  expect_failures = [var.limits]
}

run "a_name_that_no_account_can_have_is_refused" {
  command = plan

  variables {
    name = "heliograph_email"
  }

  expect_failures = [var.name]
}

run "a_missing_bundle_is_named_before_anything_is_made" {
  command = plan

  variables {
    bundle = { bucket = "heliograph-test-bundles", object = "functions/email/none.zip", sha256 = null }
  }

  expect_failures = [google_cloudfunctions2_function.this]
}
