output "app_id" {
  description = "Id of the app; null for the functions runtime."
  value       = one(digitalocean_app.this[*].id)
}

output "database_cluster_id" {
  description = "Id of the Postgres cluster."
  value       = digitalocean_database_cluster.this.id
}

output "database_pool_uri" {
  description = "What the functions runtime connects to; null for the app, which App Platform connects itself."
  value       = one(digitalocean_database_connection_pool.this[*].uri)
  sensitive   = true
}

output "registry_endpoint" {
  description = "Where images are pushed to."
  value       = digitalocean_container_registry.this.endpoint
}

output "url" {
  description = "Address of the app, usable once the database lets it in; null for the functions runtime."
  value       = one(digitalocean_app.this[*].live_url)

  depends_on = [digitalocean_database_firewall.this]
}
