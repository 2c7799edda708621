output "app_id" {
  description = "Id of the app; null with the functions runtime."
  value       = one(digitalocean_app.this[*].id)
}

output "database_ca_cert" {
  description = "Certificate of the CA that signs Postgres's certificate, in PEM."
  value       = data.digitalocean_database_ca.this.certificate
}

output "database_cluster_id" {
  description = "Id of the Postgres cluster."
  value       = digitalocean_database_cluster.this.id
}

output "database_pool_uri" {
  description = "DATABASE_URL for the functions runtime; null with App Platform, which sets it itself."
  value       = one(digitalocean_database_connection_pool.this[*].uri)
  sensitive   = true
}

output "registry_endpoint" {
  description = "Registry to push images to."
  value       = digitalocean_container_registry.this.endpoint
}

output "url" {
  description = "URL of the app, known once the database admits it; null with the functions runtime."
  value       = one(digitalocean_app.this[*].live_url)

  depends_on = [digitalocean_database_firewall.this]
}
