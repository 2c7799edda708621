locals {
  # trigger => its event, its build file, whether an operator must approve each build, and the service account. A pull request
  # runs unreviewed code, so its account has no write access.
  pipelines = var.continuous_delivery == null ? {} : { for name, pipeline in {
    pull-request = { file = "cloudbuild.pr.yaml", on = "pull_request", approval = false, account = var.continuous_delivery.reviewer }
    main         = { file = "cloudbuild.yaml", on = "push", approval = false, account = var.continuous_delivery.deployer }
    apply        = { file = "cloudbuild.apply.yaml", on = "manual", approval = var.continuous_delivery.approval, account = var.continuous_delivery.deployer }
  } : name => pipeline if pipeline.account != null }
}

# The plan of a pull request needs the hashes of the current release, which are in this bucket.
resource "google_storage_bucket_iam_member" "reviewer" {
  count = try(var.continuous_delivery.reviewer, null) == null ? 0 : 1

  bucket = google_storage_bucket.bundles.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${var.continuous_delivery.reviewer}"
}

resource "google_cloudbuild_trigger" "this" {
  for_each = local.pipelines

  project         = var.project_id
  location        = var.region
  name            = "heliograph-${each.key}"
  service_account = "projects/${var.project_id}/serviceAccounts/${each.value.account}"
  substitutions = merge(
    { _ENVIRONMENT = var.environment, _REGION = var.region },
    each.key == "main" ? { _REGISTRY = var.publisher_registry.name } : {},
  )

  approval_config {
    approval_required = each.value.approval
  }

  filename = each.value.on == "manual" ? null : each.value.file

  dynamic "repository_event_config" {
    for_each = each.value.on == "manual" ? [] : [each.value.on]

    content {
      repository = var.continuous_delivery.repository

      dynamic "pull_request" {
        for_each = repository_event_config.value == "pull_request" ? [true] : []

        content {
          branch          = "^${var.continuous_delivery.branch}$"
          comment_control = "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"
        }
      }

      dynamic "push" {
        for_each = repository_event_config.value == "push" ? [true] : []

        content {
          branch = "^${var.continuous_delivery.branch}$"
        }
      }
    }
  }

  dynamic "source_to_build" {
    for_each = each.value.on == "manual" ? [true] : []

    content {
      ref        = "refs/heads/${var.continuous_delivery.branch}"
      repo_type  = "GITHUB"
      repository = var.continuous_delivery.repository
    }
  }

  dynamic "git_file_source" {
    for_each = each.value.on == "manual" ? [true] : []

    content {
      path       = each.value.file
      repo_type  = "GITHUB"
      repository = var.continuous_delivery.repository
    }
  }

  depends_on = [time_sleep.services]
}
