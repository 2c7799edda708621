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
  databases           = { ledger = "roles/datastore.user" }
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

run "the_function_runs_as_its_own_account" {
  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].service_account_email == google_service_account.this.email
    error_message = "The function must run as its own account."
  }

  assert {
    condition     = google_service_account.this.account_id == var.name
    error_message = "The account must be named after the function."
  }
}

run "the_function_may_publish_only_to_the_topic_for_outcomes" {
  assert {
    condition     = google_pubsub_topic_iam_member.outcomes.topic == var.outcomes_topic && google_pubsub_topic_iam_member.outcomes.role == "roles/pubsub.publisher"
    error_message = "The publisher role must be on the topic for outcomes."
  }
}

run "the_function_may_read_each_of_its_secrets_and_no_other" {
  assert {
    condition = (
      join(",", keys(google_secret_manager_secret_iam_member.reader)) == "SENDGRID_API_KEY" &&
      google_secret_manager_secret_iam_member.reader["SENDGRID_API_KEY"].secret_id == "heliograph-sendgrid-api-key"
    )
    error_message = "There must be one grant per secret, on that secret."
  }

  assert {
    condition     = length(google_project_iam_member.provider) == 0
    error_message = "Without `roles` there must be no project-wide role but Firestore's."
  }
}

run "firestore_access_is_limited_to_the_given_databases" {
  variables {
    databases = { ledger = "roles/datastore.user", "(default)" = "roles/datastore.viewer" }
  }

  assert {
    condition = {
      for grant in values(google_project_iam_member.firestore) : grant.condition[0].expression => grant.role
      } == {
      "resource.name == \"projects/heliograph-test/databases/ledger\""    = "roles/datastore.user"
      "resource.name == \"projects/heliograph-test/databases/(default)\"" = "roles/datastore.viewer"
    }
    error_message = "Each Firestore role must have a condition on one database."
  }
}

run "a_role_over_all_of_firestore_is_refused" {
  command = plan

  variables {
    databases = { ledger = "roles/datastore.owner" }
  }

  expect_failures = [var.databases]
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
    error_message = "The function must accept no calls from outside Google Cloud."
  }
}

run "threads_equal_the_concurrency" {
  variables {
    limits = { concurrency = 48 }
  }

  assert {
    condition = (
      google_cloudfunctions2_function.this.service_config[0].max_instance_request_concurrency == 48 &&
      google_cloudfunctions2_function.this.service_config[0].environment_variables["THREADS"] == "48"
    )
    error_message = "THREADS must equal the concurrency."
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

run "a_project_wide_role_that_contains_firestore_is_refused" {
  command = plan

  variables {
    roles = ["roles/firebase.developAdmin"]
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

run "a_name_that_is_no_account_id_is_refused" {
  command = plan

  variables {
    name = "heliograph_email"
  }

  expect_failures = [var.name]
}

run "a_missing_bundle_fails_the_plan" {
  command = plan

  variables {
    bundle = { bucket = "heliograph-test-bundles", object = "functions/email/none.zip", sha256 = null }
  }

  expect_failures = [google_cloudfunctions2_function.this]
}
