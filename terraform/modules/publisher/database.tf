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

resource "digitalocean_database_db" "this" {
  cluster_id = digitalocean_database_cluster.this.id
  name       = "heliograph"

  lifecycle {
    prevent_destroy = true
  }
}

# A cluster without rules takes anybody who knows the password, so the first deployment's migration gets through; from
# then on only the app does. It comes over the private network, where a rule cannot name it, and nobody else is there; the
# rule with its name is for what takes the public way.
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

# Only for functions, of which each instance would open connections of its own. The container keeps a pool itself and
# must connect directly: LISTEN, by which its caches hear of changes, does not work through a transaction pool.
resource "digitalocean_database_connection_pool" "this" {
  count = var.runtime == "functions" ? 1 : 0

  cluster_id = digitalocean_database_cluster.this.id
  name       = "${var.name}-functions"
  mode       = "transaction"
  size       = var.pool_size
  db_name    = digitalocean_database_db.this.name
  user       = digitalocean_database_cluster.this.user
}
