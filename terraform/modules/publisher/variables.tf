variable "database" {
  description = "The managed Postgres: size of a node, how many nodes (two or more fail over by themselves), major version, and when it may be maintained."
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
    condition     = contains(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], var.database.maintenance_day)
    error_message = "database.maintenance_day must be a day of the week in small letters."
  }
}

variable "database_open_to_internet" {
  description = "Says yes to a Postgres that any address may try to log in to. DigitalOcean Functions have no fixed address, so a firewall cannot name them."
  type        = bool
  nullable    = false
  default     = false

  validation {
    condition     = var.runtime != "functions" || var.database_open_to_internet
    error_message = "The functions runtime cannot be named in the database's firewall: set database_open_to_internet = true to accept that, or use runtime = \"app\"."
  }
}

variable "environment" {
  description = "Environment variables of the publisher that are no secrets."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "git" {
  description = "Public repository to build the image from when `image` is not given (the first apply, before anything was pushed)."
  type        = object({ branch = string, url = string })
  nullable    = true
  default     = null
}

variable "image" {
  description = "The image to run, by digest, from the container registry made here. Wins over `git`."
  type        = object({ digest = string, repository = string })
  nullable    = true
  default     = null

  validation {
    condition     = var.image == null || can(regex("^sha256:[0-9a-f]{64}$", var.image.digest))
    error_message = "image.digest must be sha256: and 64 hexadecimal digits; a tag can be moved under a running system."
  }

  validation {
    condition     = var.runtime != "app" || var.image != null || var.git != null
    error_message = "The app runtime needs an image, or a public git repository to build one from."
  }
}

variable "instances" {
  description = "Containers of the API: size, and between how many App Platform may choose (more than one number needs a dedicated size)."
  type = object({
    maximum = optional(number, 2)
    minimum = optional(number, 2)
    size    = optional(string, "apps-s-1vcpu-1gb")
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.instances.minimum >= 1 && var.instances.minimum <= var.instances.maximum
    error_message = "instances.minimum must be at least 1 and at most instances.maximum."
  }

  validation {
    condition     = var.instances.minimum == var.instances.maximum || startswith(var.instances.size, "apps-d-")
    error_message = "App Platform scales by itself only on dedicated sizes (apps-d-…)."
  }
}

variable "name" {
  description = "Name of the app; the other resources begin with it."
  type        = string
  nullable    = false
  default     = "heliograph"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 32 lower-case letters, digits and hyphens: App Platform takes no other."
  }
}

variable "pool_size" {
  description = "Connections of the transaction pool that the functions runtime connects to."
  type        = number
  nullable    = false
  default     = 15

  validation {
    condition     = var.pool_size >= 1 && var.pool_size <= 200
    error_message = "pool_size must be between 1 and 200."
  }
}

variable "region" {
  description = "DigitalOcean data centre, such as `ams3`; the app runs in its city."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["ams3", "blr1", "fra1", "lon1", "nyc1", "sfo3", "sgp1", "syd1", "tor1"], var.region)
    error_message = "region must be a data centre whose private networks App Platform can join: ams3, blr1, fra1, lon1, nyc1, sfo3, sgp1, syd1 or tor1."
  }
}

variable "registry" {
  description = "The container registry: its name (unique in all of DigitalOcean) and subscription tier."
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
  description = "Where the publisher runs: `app` (App Platform, a container) or `functions` (DigitalOcean Functions; deployed by `python -m deploy.functions`)."
  type        = string
  nullable    = false
  default     = "app"

  validation {
    condition     = contains(["app", "functions"], var.runtime)
    error_message = "runtime must be app or functions."
  }
}

variable "secrets" {
  description = "Secret environment variables that are sent with every apply. DigitalOcean answers with their ciphertext, so each plan shows them as changed."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "secrets_set_once" {
  description = "Secret environment variables that are given when the app is made and left alone afterwards, so that a second plan is empty."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "sweep_seconds" {
  description = "Pause between two sweeps of the outbox."
  type        = number
  nullable    = false
  default     = 60

  validation {
    condition     = var.sweep_seconds >= 5 && var.sweep_seconds <= 600
    error_message = "sweep_seconds must be between 5 and 600."
  }
}

variable "tags" {
  description = "Tags on everything at DigitalOcean that carries tags."
  type        = set(string)
  nullable    = false
  default     = []
}

variable "vpc_cidr" {
  description = "Private network of the publisher and its database."
  type        = string
  nullable    = false
  default     = "10.114.0.0/20"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) <= 24 && tonumber(split("/", var.vpc_cidr)[1]) >= 16, false)
    error_message = "vpc_cidr must be a network of /16 to /24."
  }
}
