resource "digitalocean_container_registry" "this" {
  name                   = var.registry.name
  subscription_tier_slug = var.registry.tier
}
