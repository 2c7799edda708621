resource "google_cloudfunctions2_function" "this" {
  project     = var.project_id
  location    = var.region
  name        = var.name
  description = var.description
  labels      = var.labels

  build_config {
    runtime         = "python311"
    entry_point     = var.entry_point
    service_account = var.build_account

    source {
      storage_source {
        bucket = var.bundle.bucket
        object = var.bundle.object
      }
    }
  }

  service_config {
    all_traffic_on_latest_revision   = true
    available_cpu                    = var.limits.cpu
    available_memory                 = var.limits.memory
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    max_instance_count               = var.limits.max_instances
    max_instance_request_concurrency = var.limits.concurrency
    min_instance_count               = 0
    service_account_email            = google_service_account.this.email
    timeout_seconds                  = var.limits.timeout_seconds

    # THREADS must equal the concurrency. By default the framework serves cpu × 4 requests at a time; Cloud Run would send more,
    # and requests that queue inside the instance use up their acknowledgement deadline.
    environment_variables = merge(var.environment, {
      GOOGLE_CLOUD_PROJECT = var.project_id
      LOG_EXECUTION_ID     = "true"
      OUTCOMES_TOPIC       = var.outcomes_topic_name
      THREADS              = tostring(var.limits.concurrency)
    })

    dynamic "secret_environment_variables" {
      for_each = var.secrets
      iterator = secret

      content {
        key        = secret.key
        project_id = var.project_id
        secret     = secret.value
        version    = "latest"
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.bundle.sha256 != null
      error_message = "Function ${var.name} has no bundle. Run `make bundle`, or set its sha256 in bundle_hashes."
    }

    precondition {
      condition     = var.bundle.sha256 == null || can(regex("^[0-9a-f]{64}$", var.bundle.sha256))
      error_message = "The bundle hash of function ${var.name} is not a sha256 (64 hexadecimal digits)."
    }
  }

  # A revision that starts before it may read its secrets never becomes ready, so the grants come first.
  depends_on = [
    google_project_iam_member.firestore,
    google_pubsub_topic_iam_member.outcomes,
    google_secret_manager_secret_iam_member.reader,
  ]
}
