locals {
  database = "db"

  # App Platform replaces the references, so that neither the plan nor the state of the app contains the password. Its DATABASE_URL
  # encrypts and accepts any server; with the CA's certificate the publisher accepts the cluster only.
  environment = merge(var.environment, {
    DATABASE_CA_CERT     = "$${${local.database}.CA_CERT}"
    DATABASE_CONNECTIONS = tostring(var.instances.connections)
    DATABASE_URL         = "$${${local.database}.DATABASE_URL}"
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

    # Migrates the database before the new code takes requests.
    job {
      name               = "migrate"
      kind               = "PRE_DEPLOY"
      run_command        = "python -m publisher_api.cli.migrate"
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

      # Asks neither Postgres nor Pub/Sub: to restart the container repairs neither, and it answers 503 by itself meanwhile.
      health_check {
        http_path             = "/health/ready"
        initial_delay_seconds = 5
        period_seconds        = 10
        timeout_seconds       = 5
        failure_threshold     = 6
      }

      # Gives requests in flight time to finish. Messages still in the outbox are published by the sweeper.
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

    # A worker that sweeps and sleeps, not a scheduled job: the provider cannot declare a schedule, and cron's interval is too long
    # for the outbox.
    worker {
      name               = "sweep"
      run_command        = "python -m publisher_api.cli.sweep --every ${var.sweep_seconds}"
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
    # DigitalOcean returns secret values encrypted, so each plan would show a change. Terraform therefore sets the variables of
    # the app only once (deploy/rotate_identity.sh changes them). It still manages the variables of the components.
    ignore_changes = [spec[0].env]
  }

  depends_on = [digitalocean_container_registry.this]
}
