variable "alert_emails" {
  description = "Addresses that alerts go to."
  type        = set(string)
  nullable    = false
}

variable "billing_account" {
  description = "Billing account (`012345-6789AB-CDEF01`) whose spending on the project is watched; without it there is no budget."
  type        = string
  nullable    = true
  default     = null
}

variable "bundle_hashes" {
  description = "sha256 of the bundle each function runs, which is in the bucket already: function (`email`, `dead_letter`) => hash. A release's file gives them; what is not named here is uploaded from `bundles_dir`, and what is no function any more is passed over: a release may be older than the topology."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for hash in values(var.bundle_hashes) : can(regex("^[0-9a-f]{64}$", hash))])
    error_message = "Every bundle hash must be a sha256: 64 hexadecimal digits."
  }
}

variable "bundles_dir" {
  description = "Folder with the zips that `make bundle` makes, relative to this one."
  type        = string
  nullable    = false
  default     = "../dist"
}

variable "channel_environment" {
  description = "Environment variables of the channels' functions that are no secrets: kind => name => value (`email = { EMAIL_FROM = … }`)."
  type        = map(map(string))
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.channel_environment), keys(local.channels))) == 0
    error_message = "channel_environment names a channel that shared/channels.json does not have."
  }
}

variable "channel_roles" {
  description = "Project roles that a channel's provider needs: kind => roles. Firebase has no resource to grant messaging on."
  type        = map(set(string))
  nullable    = false
  default     = { push = ["roles/firebasecloudmessaging.admin"] }

  validation {
    condition     = length(setsubtract(keys(var.channel_roles), keys(local.channels))) == 0
    error_message = "channel_roles names a channel that shared/channels.json does not have."
  }
}

variable "delivery" {
  description = "Continuous delivery by Cloud Build: the connected repository (`projects/…/locations/…/connections/…/repositories/…`), the branch that is deployed, the account that deploys, the one that looks at pull requests (without it nobody does), and whether a person approves each apply. Without it there are no triggers."
  type = object({
    approval   = optional(bool, true)
    branch     = optional(string, "main")
    deployer   = string
    repository = string
    reviewer   = optional(string)
  })
  nullable = true
  default  = null

  validation {
    condition     = var.delivery == null || can(regex("^projects/[^/]+/locations/[^/]+/connections/[^/]+/repositories/[^/]+$", var.delivery.repository))
    error_message = "delivery.repository must be the full name of a connected repository."
  }

  validation {
    condition     = try(var.delivery.reviewer, null) == null || (var.publisher_identity.kind == "keyless" && !var.publisher_database_open_to_internet)
    error_message = "delivery.reviewer can read the state. With publisher_identity.kind = \"key\" or a database that is open to the internet that is enough to publish, or to write: leave it out."
  }
}

variable "environment" {
  description = "Name of the environment: a label, and part of the audience of pushes to the publisher. One project holds one environment."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.environment))
    error_message = "environment must be 2 to 21 lower-case letters, digits and hyphens: it becomes a label."
  }
}

variable "firestore_location" {
  description = "Firestore location (`eur3`, `europe-west1`). It can never be changed."
  type        = string
  nullable    = false
  default     = "eur3"
}

variable "max_instances" {
  description = "How many instances of each channel's function may run."
  type        = number
  nullable    = false
  default     = 20
}

variable "monthly_budget" {
  description = "Spending a month to be warned about, in whole units of the billing account's currency. `currency` need not be said; if it is, it must be that one."
  type        = object({ currency = optional(string), units = optional(number, 100) })
  nullable    = false
  default     = {}
}

variable "optional_secrets" {
  description = "Secrets a channel can do without, and shall have: kind => names (`email = [\"SMTP_URL\"]` adds the second mail provider)."
  type        = map(set(string))
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.optional_secrets), keys(local.channels))) == 0
    error_message = "optional_secrets names a channel that shared/channels.json does not have."
  }
}

variable "project_id" {
  description = "Google Cloud project."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "publisher_database" {
  description = "The managed Postgres: see `modules/publisher`."
  type = object({
    maintenance_day  = optional(string, "sunday")
    maintenance_hour = optional(string, "03:00:00")
    nodes            = optional(number, 2)
    size             = optional(string, "db-s-1vcpu-2gb")
    version          = optional(string, "17")
  })
  nullable = false
  default  = {}
}

variable "publisher_database_open_to_internet" {
  description = "Says yes to a Postgres without a firewall, which the functions runtime needs."
  type        = bool
  nullable    = false
  default     = false
}

variable "publisher_git" {
  description = "Public repository that the publisher's image is built from as long as `publisher_image` is not given."
  type        = object({ branch = string, url = string })
  nullable    = true
  default     = null
}

variable "publisher_identity" {
  description = "How the publisher proves itself to Google: `keyless` (signs short-lived tokens, of which `jwks_file` holds the public key) or `key` (a service-account key, made anew after `rotation_days`)."
  type = object({
    jwks_file     = optional(string)
    kind          = optional(string, "keyless")
    rotation_days = optional(number, 30)
  })
  nullable = false
  default  = {}

  validation {
    condition     = contains(["keyless", "key"], var.publisher_identity.kind)
    error_message = "publisher_identity.kind must be keyless or key."
  }

  validation {
    condition     = var.publisher_runtime != "functions" || var.publisher_identity.kind == "keyless"
    error_message = "The functions runtime is deployed beside Terraform, so a rotated key would not reach it: use publisher_identity.kind = \"keyless\"."
  }

  validation {
    condition = var.publisher_identity.kind != "keyless" || try(
      length(jsondecode(file("${path.root}/${var.publisher_identity.jwks_file}")).keys) > 0, false
    )
    error_message = "A keyless publisher needs publisher_identity.jwks_file, a JSON Web Key Set: make one with `python -m deploy.identity_key`."
  }

  validation {
    condition = var.publisher_identity.kind != "keyless" || try(alltrue([
      for key in jsondecode(file("${path.root}/${var.publisher_identity.jwks_file}")).keys : !contains(keys(key), "d")
    ]), true)
    error_message = "publisher_identity.jwks_file holds a private key: it must hold public ones only."
  }

  validation {
    condition     = var.publisher_identity.rotation_days >= 1 && var.publisher_identity.rotation_days <= 90
    error_message = "publisher_identity.rotation_days must be between 1 and 90."
  }
}

variable "publisher_image" {
  description = "Image of the publisher, by digest. A release's file gives it."
  type        = object({ digest = string, repository = string })
  nullable    = true
  default     = null
}

variable "publisher_instances" {
  description = "Containers of the API: see `modules/publisher`."
  type = object({
    maximum = optional(number, 2)
    minimum = optional(number, 2)
    size    = optional(string, "apps-s-1vcpu-1gb")
  })
  nullable = false
  default  = {}
}

variable "publisher_private_key" {
  description = "Private key (PEM) of a keyless publisher, needed only by the apply that makes the app. Give it by TF_VAR_publisher_private_key, never in a file."
  type        = string
  nullable    = true
  default     = null
  sensitive   = true
}

variable "publisher_region" {
  description = "DigitalOcean data centre."
  type        = string
  nullable    = false
  default     = "ams3"
}

variable "publisher_registry" {
  description = "The container registry: its name (unique in all of DigitalOcean) and tier."
  type        = object({ name = string, tier = optional(string, "basic") })
  nullable    = false
}

variable "publisher_runtime" {
  description = "Where the publisher runs: `app` (App Platform) or `functions` (DigitalOcean Functions)."
  type        = string
  nullable    = false
  default     = "app"
}

variable "publisher_url" {
  description = "Address of the publisher when it is not the app's own: a custom domain, or DigitalOcean Functions."
  type        = string
  nullable    = true
  default     = null

  validation {
    condition     = var.publisher_url == null || can(regex("^https://[^/]+(/.*[^/])?$", var.publisher_url))
    error_message = "publisher_url must begin with https:// and not end with a slash."
  }

  validation {
    condition     = var.publisher_runtime != "functions" || var.publisher_url != null
    error_message = "The functions runtime needs publisher_url: `doctl serverless functions get publisher/api --url` prints it."
  }
}

variable "region" {
  description = "Google Cloud region of the functions and of their bundles."
  type        = string
  nullable    = false
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region such as europe-west1."
  }
}

variable "secret_versions" {
  description = "Number of each secret's version, 1 if not named: a higher one makes the next apply send the value in `secrets`."
  type        = map(number)
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.secret_versions), local.secret_names)) == 0
    error_message = "secret_versions names a secret that no channel asks for."
  }
}

variable "secrets" {
  description = "Values of the channels' secrets: name => value. Only an apply that adds or rotates one needs them, and it needs them all; they are in no plan and no state. Give them by TF_VAR_secrets."
  type        = map(string)
  nullable    = false
  default     = {}
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = length(var.secrets) == 0 || length(setsubtract(local.secret_names, keys(var.secrets))) == 0
    error_message = "secrets must hold a value for every secret of every channel, or be left out."
  }
}
