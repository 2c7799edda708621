resource "digitalocean_vpc" "this" {
  name        = "${var.name}-${var.region}"
  description = "Heliograph: publisher and database."
  region      = var.region
  ip_range    = var.vpc_cidr
}
