locals {
  database = "db"

  # Filled in by App Platform, so that no plan and no state of this app holds the password.
  environment = merge(var.environment, {
    DATABASE_URL = "$${${local.database}.DATABASE_URL}"
  })

  image = var.image == null ? [] : [var.image]
  git   = var.image == null && var.git != null ? [var.git] : []
}

resource "digitalocean_app" "this" {
  count = var.runtime == "app" ? 1 : 0

  spec {
    name   = var.name
    region = substr(var.region, 0, 3)

    vpc {
      id = digitalocean_vpc.this.id
    }

    database {
      name         = local.database
      cluster_name = digitalocean_database_cluster.this.name
      db_name      = digitalocean_database_db.this.name
      engine       = "PG"
      production   = true
    }

    dynamic "env" {
      for_each = var.secrets_set_once

      content {
        key   = env.key
        value = env.value
        scope = "RUN_TIME"
        type  = "SECRET"
      }
    }

    alert {
      rule = "DEPLOYMENT_FAILED"
    }

    ingress {
      rule {
        component {
          name = "api"
        }

        match {
          path {
            prefix = "/"
          }
        }
      }
    }

    # Before new code takes a request, its tables are there.
    job {
      name               = "migrate"
      kind               = "PRE_DEPLOY"
      run_command        = "python -m publisher_api.migrate"
      instance_size_slug = var.instances.size
      instance_count     = 1
      dockerfile_path    = length(local.git) > 0 ? "Dockerfile" : null

      dynamic "image" {
        for_each = local.image

        content {
          registry_type = "DOCR"
          repository    = image.value.repository
          digest        = image.value.digest
        }
      }

      dynamic "git" {
        for_each = local.git

        content {
          repo_clone_url = git.value.url
          branch         = git.value.branch
        }
      }

      dynamic "env" {
        for_each = merge(local.environment, var.secrets)

        content {
          key   = env.key
          value = env.value
          scope = "RUN_TIME"
          type  = contains(keys(var.secrets), env.key) ? "SECRET" : "GENERAL"
        }
      }
    }

    service {
      name               = "api"
      http_port          = 8080
      instance_size_slug = var.instances.size
      instance_count     = var.instances.minimum == var.instances.maximum ? var.instances.minimum : null
      dockerfile_path    = length(local.git) > 0 ? "Dockerfile" : null

      dynamic "autoscaling" {
        for_each = var.instances.minimum == var.instances.maximum ? [] : [var.instances]

        content {
          min_instance_count = autoscaling.value.minimum
          max_instance_count = autoscaling.value.maximum

          metrics {
            cpu {
              percent = 70
            }
          }
        }
      }

      health_check {
        http_path             = "/health"
        initial_delay_seconds = 5
        period_seconds        = 10
        timeout_seconds       = 5
        failure_threshold     = 6
      }

      # What is under way is finished, and what is in the outbox can wait for the sweep.
      termination {
        drain_seconds        = 15
        grace_period_seconds = 30
      }

      dynamic "image" {
        for_each = local.image

        content {
          registry_type = "DOCR"
          repository    = image.value.repository
          digest        = image.value.digest
        }
      }

      dynamic "git" {
        for_each = local.git

        content {
          repo_clone_url = git.value.url
          branch         = git.value.branch
        }
      }

      dynamic "env" {
        for_each = merge(local.environment, var.secrets)

        content {
          key   = env.key
          value = env.value
          scope = "RUN_TIME"
          type  = contains(keys(var.secrets), env.key) ? "SECRET" : "GENERAL"
        }
      }
    }

    # App Platform has scheduled jobs, but the provider cannot declare a schedule, and an outbox that waits for cron waits
    # long: a worker sweeps and sleeps in between.
    worker {
      name               = "sweep"
      run_command        = "python -m publisher_api.sweep --every ${var.sweep_seconds}"
      instance_size_slug = "apps-s-1vcpu-0.5gb"
      instance_count     = 1
      dockerfile_path    = length(local.git) > 0 ? "Dockerfile" : null

      dynamic "image" {
        for_each = local.image

        content {
          registry_type = "DOCR"
          repository    = image.value.repository
          digest        = image.value.digest
        }
      }

      dynamic "git" {
        for_each = local.git

        content {
          repo_clone_url = git.value.url
          branch         = git.value.branch
        }
      }

      dynamic "env" {
        for_each = merge(local.environment, var.secrets)

        content {
          key   = env.key
          value = env.value
          scope = "RUN_TIME"
          type  = contains(keys(var.secrets), env.key) ? "SECRET" : "GENERAL"
        }
      }
    }
  }

  lifecycle {
    # DigitalOcean gives secret values back encrypted, and each plan would send them again. The app's own variables are
    # therefore set once (deploy/rotate_identity.sh changes them); those of its components stay Terraform's.
    ignore_changes = [spec[0].env]
  }

  depends_on = [digitalocean_container_registry.this]
}
