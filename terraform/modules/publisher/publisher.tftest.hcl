mock_provider "digitalocean" {}

# Every run only plans: `prevent_destroy` would stop a test from destroying what it applied.
variables {
  environment      = { GOOGLE_CLOUD_PROJECT = "heliograph-test" }
  git              = { branch = "main", url = "https://git.example.com/heliograph.git" }
  region           = "ams3"
  registry         = { name = "heliograph-test" }
  secrets_set_once = { GOOGLE_IDENTITY_KEY = "a key" }
}

run "all_components_run_the_same_image" {
  command = plan

  variables {
    image = {
      digest     = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
      repository = "publisher"
    }
  }

  assert {
    condition = alltrue([
      for component in concat(
        [for each in digitalocean_app.this[0].spec[0].service : each.image],
        [for each in digitalocean_app.this[0].spec[0].worker : each.image],
        [for each in digitalocean_app.this[0].spec[0].job : each.image],
      ) : component[0].digest == var.image.digest
    ])
    error_message = "Every component must run the given image, by its digest."
  }
}

run "the_database_has_a_standby" {
  command = plan

  assert {
    condition     = digitalocean_database_cluster.this.node_count >= 2
    error_message = "Without a standby, a broken node means a restore from the backup."
  }
}

run "without_an_image_the_app_is_built_from_git" {
  command = plan

  assert {
    condition = (
      digitalocean_app.this[0].spec[0].service[0].git[0].repo_clone_url == var.git.url &&
      length(digitalocean_app.this[0].spec[0].service[0].image) == 0
    )
    error_message = "The service must be built from the repository."
  }
}

run "the_migration_runs_before_the_new_code" {
  command = plan

  assert {
    condition = (
      digitalocean_app.this[0].spec[0].job[0].kind == "PRE_DEPLOY" &&
      digitalocean_app.this[0].spec[0].job[0].run_command == "python -m publisher_api.cli.migrate"
    )
    error_message = "The migration must be a PRE_DEPLOY job."
  }
}

run "the_sweeper_runs_every_60_seconds" {
  command = plan

  assert {
    condition     = digitalocean_app.this[0].spec[0].worker[0].run_command == "python -m publisher_api.cli.sweep --every 60"
    error_message = "The sweeper must run every 60 seconds."
  }
}

run "the_health_check_restarts_no_container_because_of_another_service" {
  command = plan

  assert {
    condition     = digitalocean_app.this[0].spec[0].service[0].health_check[0].http_path == "/health/ready"
    error_message = "The health check must ask for readiness, which depends on no other service."
  }
}

run "every_component_gets_the_database_url_and_its_ca_by_reference" {
  command = plan

  assert {
    condition = alltrue([
      for component in concat(
        [for each in digitalocean_app.this[0].spec[0].service : each.env],
        [for each in digitalocean_app.this[0].spec[0].worker : each.env],
        [for each in digitalocean_app.this[0].spec[0].job : each.env],
      ) :
      length(setsubtract(
        ["DATABASE_CA_CERT=$${db.CA_CERT}", "DATABASE_URL=$${db.DATABASE_URL}"],
        [for variable in component : "${variable.key}=${variable.value}"],
      )) == 0
    ])
    error_message = "Each component must reference App Platform's DATABASE_URL and CA_CERT."
  }
}

run "the_firewall_admits_only_the_app" {
  command = plan

  assert {
    condition     = toset([for rule in digitalocean_database_firewall.this[0].rule : rule.type]) == toset(["app", "ip_addr"])
    error_message = "The firewall must admit only the app, by name and by its private network."
  }

  assert {
    condition = alltrue([
      for rule in digitalocean_database_firewall.this[0].rule : rule.value == var.vpc_cidr if rule.type == "ip_addr"
    ])
    error_message = "The only admitted addresses must be those of the private network."
  }

  assert {
    condition     = length(digitalocean_database_connection_pool.this) == 0
    error_message = "The container must connect directly, because LISTEN does not work through a transaction pool."
  }
}

run "variables_set_once_are_secrets" {
  command = plan

  assert {
    condition     = alltrue([for variable in digitalocean_app.this[0].spec[0].env : variable.type == "SECRET"])
    error_message = "Variables that are set once must have the type SECRET."
  }
}

run "the_functions_runtime_has_a_pool_and_no_app" {
  command = plan

  variables {
    database_open_to_internet = true
    runtime                   = "functions"
  }

  assert {
    condition = (
      length(digitalocean_app.this) == 0 &&
      digitalocean_database_connection_pool.this[0].mode == "transaction"
    )
    error_message = "The functions runtime must have a transaction pool and no app."
  }
}

run "the_functions_runtime_without_an_open_database_is_refused" {
  command = plan

  variables {
    runtime = "functions"
  }

  expect_failures = [var.database_open_to_internet]
}

run "an_image_by_tag_is_refused" {
  command = plan

  variables {
    image = { digest = "latest", repository = "publisher" }
  }

  expect_failures = [var.image]
}

run "an_app_without_image_and_git_is_refused" {
  command = plan

  variables {
    git = null
  }

  expect_failures = [var.image]
}

run "autoscaling_on_a_shared_size_is_refused" {
  command = plan

  variables {
    instances = { minimum = 1, maximum = 4 }
  }

  expect_failures = [var.instances]
}

run "a_release_that_needs_more_connections_than_the_plan_has_is_refused" {
  command = plan

  variables {
    instances = { minimum = 3, maximum = 3 }
  }

  expect_failures = [var.instances]
}

run "fewer_connections_than_the_containers_pools_open_are_refused" {
  command = plan

  variables {
    instances = { connections = 1 }
  }

  expect_failures = [var.instances]
}

run "a_pool_with_more_connections_than_the_plan_has_is_refused" {
  command = plan

  variables {
    database_open_to_internet = true
    pool_size                 = 45
    runtime                   = "functions"
  }

  expect_failures = [var.pool_size]
}

run "a_plan_with_more_memory_admits_more_containers" {
  command = plan

  variables {
    database  = { size = "db-s-2vcpu-4gb" }
    instances = { minimum = 4, maximum = 4 }
  }

  assert {
    condition     = contains([for variable in digitalocean_app.this[0].spec[0].service[0].env : "${variable.key}=${variable.value}"], "DATABASE_CONNECTIONS=8")
    error_message = "The containers must open as many connections as were counted."
  }
}

run "a_data_centre_without_app_networks_is_refused" {
  command = plan

  variables {
    region = "nyc3"
  }

  expect_failures = [var.region]
}

run "a_network_of_one_address_is_refused" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.1/32"
  }

  expect_failures = [var.vpc_cidr]
}
