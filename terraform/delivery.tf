locals {
  # name => what starts it, what it runs, and whether a person must say yes first.
  pipelines = var.delivery == null ? {} : {
    pull-request = { file = "cloudbuild.pr.yaml", on = "pull_request", approval = false }
    main         = { file = "cloudbuild.yaml", on = "push", approval = false }
    apply        = { file = "cloudbuild.apply.yaml", on = "hand", approval = var.delivery.approval }
  }
}

resource "google_cloudbuild_trigger" "this" {
  for_each = local.pipelines

  project         = var.project_id
  location        = var.region
  name            = "heliograph-${each.key}"
  service_account = "projects/${var.project_id}/serviceAccounts/${var.delivery.deployer}"
  substitutions = {
    _ENVIRONMENT = var.environment
    _REGION      = var.region
  }

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
