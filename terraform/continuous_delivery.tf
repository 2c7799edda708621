locals {
  # name => what starts it, what it runs, whether a person must say yes first, and with whose rights. What a pull request runs
  # nobody has read yet, so its account has no right to change anything.
  pipelines = var.delivery == null ? {} : { for name, pipeline in {
    pull-request = { file = "cloudbuild.pr.yaml", on = "pull_request", approval = false, account = var.delivery.reviewer }
    main         = { file = "cloudbuild.yaml", on = "push", approval = false, account = var.delivery.deployer }
    apply        = { file = "cloudbuild.apply.yaml", on = "hand", approval = var.delivery.approval, account = var.delivery.deployer }
  } : name => pipeline if pipeline.account != null }
}

# A pull request is planned beside the release that runs.
resource "google_storage_bucket_iam_member" "reviewer" {
  count = try(var.delivery.reviewer, null) == null ? 0 : 1

  bucket = google_storage_bucket.bundles.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${var.delivery.reviewer}"
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

  filename = each.value.on == "hand" ? null : each.value.file

  dynamic "repository_event_config" {
    for_each = each.value.on == "hand" ? [] : [each.value.on]

    content {
      repository = var.delivery.repository

      dynamic "pull_request" {
        for_each = repository_event_config.value == "pull_request" ? [true] : []

        content {
          branch          = "^${var.delivery.branch}$"
          comment_control = "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"
        }
      }

      dynamic "push" {
        for_each = repository_event_config.value == "push" ? [true] : []

        content {
          branch = "^${var.delivery.branch}$"
        }
      }
    }
  }

  dynamic "source_to_build" {
    for_each = each.value.on == "hand" ? [true] : []

    content {
      ref        = "refs/heads/${var.delivery.branch}"
      repo_type  = "GITHUB"
      repository = var.delivery.repository
    }
  }

  dynamic "git_file_source" {
    for_each = each.value.on == "hand" ? [true] : []

    content {
      path       = each.value.file
      repo_type  = "GITHUB"
      repository = var.delivery.repository
    }
  }

  depends_on = [time_sleep.services]
}
