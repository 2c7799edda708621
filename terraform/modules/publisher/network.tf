resource "digitalocean_vpc" "this" {
  name        = "${var.name}-${var.region}"
  description = "The publisher and its database."
  region      = var.region
  ip_range    = var.vpc_cidr
}
