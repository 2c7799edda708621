variable "database" {
  description = "The managed Postgres: node size, number of nodes (two or more fail over automatically), major version, and maintenance window."
  type = object({
    maintenance_day  = optional(string, "sunday")
    maintenance_hour = optional(string, "03:00:00")
    nodes            = optional(number, 2)
    size             = optional(string, "db-s-1vcpu-2gb")
    version          = optional(string, "17")
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.database.nodes >= 1 && var.database.nodes <= 3
    error_message = "database.nodes must be 1, 2 or 3."
  }

  validation {
    condition     = can(regex("-[0-9]+gb", var.database.size))
    error_message = "database.size must name its memory, such as db-s-1vcpu-2gb: the number of connections depends on it."
  }

  validation {
    condition     = contains(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], var.database.maintenance_day)
    error_message = "database.maintenance_day must be a day of the week in lower case."
  }
}

variable "database_open_to_internet" {
  description = "Accepts a Postgres without a firewall. DigitalOcean Functions have no fixed addresses, so a firewall cannot admit them."
  type        = bool
  nullable    = false
  default     = false

  validation {
    condition     = var.runtime != "functions" || var.database_open_to_internet
    error_message = "The functions runtime works only without a database firewall. Set database_open_to_internet = true to accept that, or use runtime = \"app\"."
  }
}

variable "environment" {
  description = "Environment variables of the publisher that are not secret."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "git" {
  description = "Public repository to build the publisher from while `image` is null (before the first release)."
  type        = object({ branch = string, url = string })
  nullable    = true
  default     = null
}

variable "image" {
  description = "Image to run, by digest, from this module's registry. Takes precedence over `git`."
  type        = object({ digest = string, repository = string })
  nullable    = true
  default     = null

  validation {
    condition     = var.image == null || can(regex("^sha256:[0-9a-f]{64}$", var.image.digest))
    error_message = "image.digest must be sha256: and 64 hexadecimal digits. A tag is not enough, because it can be moved to another image."
  }

  validation {
    condition     = var.runtime != "app" || var.image != null || var.git != null
    error_message = "The app runtime needs `image`, or `git` to build one from."
  }
}

variable "instances" {
  description = "Containers of the API: size, minimum and maximum number, and the number of connections to Postgres that each opens, besides one that listens. Different numbers of containers turn on autoscaling, which needs a dedicated size."
  type = object({
    connections = optional(number, 8)
    maximum     = optional(number, 2)
    minimum     = optional(number, 2)
    size        = optional(string, "apps-s-1vcpu-1gb")
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.instances.minimum >= 1 && var.instances.minimum <= var.instances.maximum
    error_message = "instances.minimum must be at least 1 and at most instances.maximum."
  }

  validation {
    condition     = var.instances.minimum == var.instances.maximum || startswith(var.instances.size, "apps-d-")
    error_message = "instances.minimum and instances.maximum may differ only with a dedicated instances.size (apps-d-…): App Platform autoscales no other."
  }

  # The publisher divides the connections between two pools, and each pool has at least one.
  validation {
    condition     = var.instances.connections >= 2 && floor(var.instances.connections) == var.instances.connections
    error_message = "instances.connections must be a whole number, and at least 2."
  }

  # A container has its pools and one connection that listens; the worker `sweep` has one. During a release App Platform runs the
  # old and the new ones at the same time, after the migration.
  validation {
    condition     = var.runtime != "app" || 2 * (var.instances.maximum * (var.instances.connections + 1) + 1) + local.connections_of_operators <= local.connections_of_the_plan
    error_message = "A release needs ${2 * (var.instances.maximum * (var.instances.connections + 1) + 1) + local.connections_of_operators} connections to Postgres, because the old and the new containers run at the same time, and database.size ${var.database.size} has ${local.connections_of_the_plan}. Choose a larger database.size, or lower instances.maximum or instances.connections."
  }
}

variable "name" {
  description = "Name of the app, and prefix of the other resources' names."
  type        = string
  nullable    = false
  default     = "heliograph"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 32 lower-case letters, digits and hyphens: App Platform's rule."
  }
}

variable "pool_size" {
  description = "Size of the transaction pool for the functions runtime."
  type        = number
  nullable    = false
  default     = 15

  validation {
    condition     = var.pool_size >= 1 && var.pool_size <= 200
    error_message = "pool_size must be between 1 and 200."
  }

  validation {
    condition     = var.runtime != "functions" || var.pool_size + local.connections_of_operators <= local.connections_of_the_plan
    error_message = "pool_size and ${local.connections_of_operators} connections for operators are more than the ${local.connections_of_the_plan} that database.size has."
  }
}

variable "region" {
  description = "DigitalOcean data centre such as `ams3`. The app runs in the same city."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["ams3", "blr1", "fra1", "lon1", "nyc1", "sfo3", "sgp1", "syd1", "tor1"], var.region)
    error_message = "region must be a data centre with private networks that App Platform can join: ams3, blr1, fra1, lon1, nyc1, sfo3, sgp1, syd1 or tor1."
  }
}

variable "registry" {
  description = "Container registry: name (unique in all of DigitalOcean) and subscription tier."
  type = object({
    name = string
    tier = optional(string, "basic")
  })
  nullable = false

  validation {
    condition     = contains(["starter", "basic", "professional"], var.registry.tier)
    error_message = "registry.tier must be starter, basic or professional."
  }
}

variable "runtime" {
  description = "Where the publisher runs: `app` (App Platform) or `functions` (DigitalOcean Functions, which doctl deploys after `python -m deploy.functions`)."
  type        = string
  nullable    = false
  default     = "app"

  validation {
    condition     = contains(["app", "functions"], var.runtime)
    error_message = "runtime must be app or functions."
  }
}

variable "secrets" {
  description = "Secret environment variables that every apply sends. DigitalOcean returns them encrypted, so each plan shows a change."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "secrets_set_once" {
  description = "Secret environment variables that are set when the app is created and not managed afterwards, so that a second plan is empty."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "sweep_seconds" {
  description = "Seconds between two sweeps of the outbox."
  type        = number
  nullable    = false
  default     = 60

  validation {
    condition     = var.sweep_seconds >= 5 && var.sweep_seconds <= 600
    error_message = "sweep_seconds must be between 5 and 600."
  }
}

variable "tags" {
  description = "Tags of all DigitalOcean resources that support tags."
  type        = set(string)
  nullable    = false
  default     = []
}

variable "vpc_cidr" {
  description = "Address range of the private network of the publisher and its database."
  type        = string
  nullable    = false
  default     = "10.114.0.0/20"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) <= 24 && tonumber(split("/", var.vpc_cidr)[1]) >= 16, false)
    error_message = "vpc_cidr must be a network of /16 to /24."
  }
}
