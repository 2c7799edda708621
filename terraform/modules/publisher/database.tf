locals {
  # DigitalOcean gives 25 connections for each GB of memory, and keeps three.
  connections_of_the_plan = try(min(1000, 25 * tonumber(regex("-([0-9]+)gb", var.database.size)[0])) - 3, 0)

  connections_of_operators = 3
}

resource "digitalocean_database_cluster" "this" {
  name                 = "${var.name}-postgres"
  engine               = "pg"
  version              = var.database.version
  size                 = var.database.size
  node_count           = var.database.nodes
  region               = var.region
  private_network_uuid = digitalocean_vpc.this.id
  tags                 = var.tags

  maintenance_window {
    day  = var.database.maintenance_day
    hour = var.database.maintenance_hour
  }

  lifecycle {
    prevent_destroy = true
  }
}

data "digitalocean_database_ca" "this" {
  cluster_id = digitalocean_database_cluster.this.id
}

resource "digitalocean_database_db" "this" {
  cluster_id = digitalocean_database_cluster.this.id
  name       = "heliograph"

  lifecycle {
    prevent_destroy = true
  }
}

# Without rules a cluster accepts every client that has the password. The migration of the first deployment needs this, because
# the app does not exist yet. Afterwards these rules admit the app only: by its name on the public network, and by address range on the
# private network, where rules cannot name apps and where nothing else runs.
resource "digitalocean_database_firewall" "this" {
  count = var.runtime == "app" ? 1 : 0

  cluster_id = digitalocean_database_cluster.this.id

  rule {
    type  = "app"
    value = digitalocean_app.this[0].id
  }

  rule {
    type  = "ip_addr"
    value = digitalocean_vpc.this.ip_range
  }
}

# For DigitalOcean Functions only, because each instance opens its own connections. The container has a pool of its own and
# connects directly: it uses LISTEN to refresh its caches, which does not work through a transaction pool.
resource "digitalocean_database_connection_pool" "this" {
  count = var.runtime == "functions" ? 1 : 0

  cluster_id = digitalocean_database_cluster.this.id
  name       = "${var.name}-functions"
  mode       = "transaction"
  size       = var.pool_size
  db_name    = digitalocean_database_db.this.name
  user       = digitalocean_database_cluster.this.user
}
