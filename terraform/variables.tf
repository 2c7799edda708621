variable "alert_emails" {
  description = "E-mail addresses that receive alerts."
  type        = set(string)
  nullable    = false
}

variable "billing_account" {
  description = "Billing account (`012345-6789AB-CDEF01`) for the budget on this project. Null: no budget."
  type        = string
  nullable    = true
  default     = null
}

variable "bundle_hashes" {
  description = "Function (`email`, `dead_letter`) => sha256 of a bundle that is already in the bucket. release.tfvars.json sets it. Bundles of other functions are uploaded from `bundles_dir`. Names that are not functions are ignored, because a release may be older than the topology."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for hash in values(var.bundle_hashes) : can(regex("^[0-9a-f]{64}$", hash))])
    error_message = "Every bundle hash must be a sha256: 64 hexadecimal digits."
  }
}

variable "bundles_dir" {
  description = "Folder with the zips of `make bundle`, relative to the Terraform root."
  type        = string
  nullable    = false
  default     = "../dist"
}

variable "channel_environment" {
  description = "Environment variables of the functions that are not secret: channel type => name => value (`email = { EMAIL_FROM = … }`)."
  type        = map(map(string))
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.channel_environment), keys(local.channels))) == 0
    error_message = "channel_environment names a channel type that is not in shared/channels.json."
  }
}

variable "channel_roles" {
  description = "Channel type => project roles that its provider needs. Firebase messaging can be granted on the project only."
  type        = map(set(string))
  nullable    = false
  default     = { push = ["roles/firebasecloudmessaging.admin"] }

  validation {
    condition     = length(setsubtract(keys(var.channel_roles), keys(local.channels))) == 0
    error_message = "channel_roles names a channel type that is not in shared/channels.json."
  }
}

variable "continuous_delivery" {
  description = "Cloud Build's triggers: the connected repository (`projects/…/locations/…/connections/…/repositories/…`), the branch to deploy, the service account that deploys, the service account that checks pull requests (null: pull requests are not built), and whether an operator must approve each apply. Null: no triggers."
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
    condition     = var.continuous_delivery == null || can(regex("^projects/[^/]+/locations/[^/]+/connections/[^/]+/repositories/[^/]+$", var.continuous_delivery.repository))
    error_message = "continuous_delivery.repository must be the full name of a connected repository: projects/…/locations/…/connections/…/repositories/…."
  }

  validation {
    condition     = try(var.continuous_delivery.reviewer, null) == null || (var.publisher_identity.kind == "keyless" && !var.publisher_database_open_to_internet)
    error_message = "continuous_delivery.reviewer can read the state. With publisher_identity.kind = \"key\" the state holds a key that can publish; with a database that is open to the internet it holds a password that works from anywhere. Leave reviewer out."
  }
}

variable "environment" {
  description = "Name of the environment. It becomes a label and part of the audience of pushes to the publisher. One project holds one environment."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.environment))
    error_message = "environment must be 2 to 21 lower-case letters, digits and hyphens: it becomes a label."
  }
}

variable "firestore_location" {
  description = "Firestore location (`eur3`, `europe-west1`). It cannot be changed later."
  type        = string
  nullable    = false
  default     = "eur3"
}

variable "ledger_database" {
  description = "Firestore database in which the functions keep the ledger and the channel switches: `ledger`, or `(default)` in an environment that has not moved them yet (docs/operations.md, Move the ledger)."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["(default)", "ledger"], var.ledger_database)
    error_message = "ledger_database must be ledger, or (default) until the ledger was moved."
  }
}

variable "max_instances" {
  description = "Maximum number of instances of each channel type's function."
  type        = number
  nullable    = false
  default     = 20
}

variable "monthly_budget" {
  description = "Monthly budget in whole units of the billing account's currency. `currency` is optional, and must be the account's."
  type        = object({ currency = optional(string), units = optional(number, 100) })
  nullable    = false
  default     = {}
}

variable "optional_secrets" {
  description = "Channel type => optional secrets to use (`email = [\"SMTP_URL\"]` adds the second mail provider)."
  type        = map(set(string))
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.optional_secrets), keys(local.channels))) == 0
    error_message = "optional_secrets names a channel type that is not in shared/channels.json."
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
  description = "Accepts a Postgres without a firewall. The functions runtime needs that."
  type        = bool
  nullable    = false
  default     = false
}

variable "publisher_git" {
  description = "Public repository to build the publisher from while `publisher_image` is null (before the first release)."
  type        = object({ branch = string, url = string })
  nullable    = true
  default     = null
}

variable "publisher_identity" {
  description = "How the publisher authenticates to Google: `keyless` (it signs short-lived tokens; `jwks_file` holds the public key) or `key` (a service-account key, which an apply replaces after `rotation_days`)."
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
    error_message = "Terraform does not deploy the functions runtime, so a rotated key would not reach it. Use publisher_identity.kind = \"keyless\"."
  }

  validation {
    condition = var.publisher_identity.kind != "keyless" || try(
      length(jsondecode(file("${path.root}/${var.publisher_identity.jwks_file}")).keys) > 0, false
    )
    error_message = "A keyless publisher needs publisher_identity.jwks_file, a JSON Web Key Set. Create it with `python -m deploy.identity_key`."
  }

  validation {
    condition = var.publisher_identity.kind != "keyless" || try(alltrue([
      for key in jsondecode(file("${path.root}/${var.publisher_identity.jwks_file}")).keys : !contains(keys(key), "d")
    ]), true)
    error_message = "publisher_identity.jwks_file contains a private key. It must contain public keys only."
  }

  validation {
    condition     = var.publisher_identity.rotation_days >= 1 && var.publisher_identity.rotation_days <= 90
    error_message = "publisher_identity.rotation_days must be between 1 and 90."
  }
}

variable "publisher_image" {
  description = "Image of the publisher, by digest. release.tfvars.json sets it."
  type        = object({ digest = string, repository = string })
  nullable    = true
  default     = null
}

variable "publisher_inbox" {
  description = "Whose tokens open the inbox that users call themselves (docs/inbox.md), and from which web pages: `firebase_project` accepts users of Firebase Authentication, `oidc_issuer` and `oidc_audience` those of another identity provider (`jwks_url`: its keys, if it has no discovery document), `origins` are web pages of other hosts. Without any, only TF_VAR_publisher_inbox_token_secret makes tokens."
  type = object({
    firebase_project = optional(string, "")
    jwks_url         = optional(string, "")
    oidc_audience    = optional(string, "")
    oidc_issuer      = optional(string, "")
    origins          = optional(set(string), [])
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.publisher_inbox.firebase_project == "" || (var.publisher_inbox.oidc_issuer == "" && var.publisher_inbox.oidc_audience == "")
    error_message = "publisher_inbox accepts either firebase_project, or oidc_issuer and oidc_audience."
  }

  validation {
    condition     = (var.publisher_inbox.oidc_issuer == "") == (var.publisher_inbox.oidc_audience == "")
    error_message = "publisher_inbox needs both oidc_issuer and oidc_audience. Without an audience, a token of another application would open the inbox."
  }

  validation {
    condition     = alltrue([for url in [var.publisher_inbox.oidc_issuer, var.publisher_inbox.jwks_url] : url == "" || startswith(url, "https://")])
    error_message = "publisher_inbox.oidc_issuer and publisher_inbox.jwks_url must begin with https://."
  }

  validation {
    condition     = alltrue([for origin in var.publisher_inbox.origins : can(regex("^https?://[^/?#@,[:space:]]+$", origin))])
    error_message = "publisher_inbox.origins must be origins such as https://shop.example, without a path."
  }
}

variable "publisher_inbox_token_secret" {
  description = "Signs our own inbox tokens: 32 bytes at least (`openssl rand -hex 32`). Only the apply that creates the app needs it; null: there are no tokens of our own. Set TF_VAR_publisher_inbox_token_secret; never write it to a file."
  type        = string
  nullable    = true
  default     = null
  sensitive   = true

  validation {
    condition     = try(length(var.publisher_inbox_token_secret) >= 32, var.publisher_inbox_token_secret == null)
    error_message = "publisher_inbox_token_secret must have at least 32 characters: openssl rand -hex 32."
  }
}

variable "publisher_instances" {
  description = "Containers of the API: see `modules/publisher`."
  type = object({
    connections = optional(number, 8)
    maximum     = optional(number, 2)
    minimum     = optional(number, 2)
    size        = optional(string, "apps-s-1vcpu-1gb")
  })
  nullable = false
  default  = {}
}

variable "publisher_private_key" {
  description = "Private key (PEM) of a keyless publisher. Only the apply that creates the app needs it. Set TF_VAR_publisher_private_key; never write it to a file."
  type        = string
  nullable    = true
  default     = null
  sensitive   = true
}

variable "publisher_producer_token_secret" {
  description = "Signs the tokens (HS256) that producers send in place of an API key, in place of `jwt_jwks_url`: 32 bytes at least (`openssl rand -hex 32`). Only the apply that creates the app needs it. Set TF_VAR_publisher_producer_token_secret; never write it to a file."
  type        = string
  nullable    = true
  default     = null
  sensitive   = true

  validation {
    condition     = try(length(var.publisher_producer_token_secret) >= 32, var.publisher_producer_token_secret == null)
    error_message = "publisher_producer_token_secret must have at least 32 characters: openssl rand -hex 32."
  }

  validation {
    condition     = var.publisher_producer_token_secret == null || (var.publisher_producers.jwt_issuer != "" && var.publisher_producers.jwt_jwks_url == "")
    error_message = "publisher_producer_token_secret needs publisher_producers with jwt_issuer and jwt_audience, and without jwt_jwks_url."
  }

  validation {
    condition     = var.publisher_producer_token_secret == null || var.publisher_producer_token_secret != var.publisher_inbox_token_secret
    error_message = "publisher_producer_token_secret is publisher_inbox_token_secret. Users and producers need two secrets."
  }
}

variable "publisher_producers" {
  description = "Whose tokens producers may send in place of an API key (docs/operations.md, \"API keys\"): `jwt_issuer` and `jwt_audience` are what each token must name, `jwt_jwks_url` serves the keys of an issuer without a discovery document; TF_VAR_publisher_producer_token_secret takes their place. Without any, only API keys are accepted."
  type = object({
    jwt_audience = optional(string, "")
    jwt_issuer   = optional(string, "")
    jwt_jwks_url = optional(string, "")
  })
  nullable = false
  default  = {}

  validation {
    condition     = (var.publisher_producers.jwt_issuer == "") == (var.publisher_producers.jwt_audience == "")
    error_message = "publisher_producers needs both jwt_issuer and jwt_audience. Without an audience, a token for another application would be accepted."
  }

  validation {
    condition     = alltrue([for url in [var.publisher_producers.jwt_issuer, var.publisher_producers.jwt_jwks_url] : url == "" || startswith(url, "https://")])
    error_message = "publisher_producers.jwt_issuer and publisher_producers.jwt_jwks_url must begin with https://."
  }
}

variable "publisher_region" {
  description = "DigitalOcean data centre."
  type        = string
  nullable    = false
  default     = "ams3"
}

variable "publisher_registry" {
  description = "Container registry: name (unique in all of DigitalOcean) and tier."
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
  description = "URL of the publisher if it differs from the app's own: a custom domain, or DigitalOcean Functions."
  type        = string
  nullable    = true
  default     = null

  validation {
    condition     = var.publisher_url == null || can(regex("^https://[^/]+(/.*[^/])?$", var.publisher_url))
    error_message = "publisher_url must begin with https:// and not end with a slash."
  }

  validation {
    condition     = var.publisher_runtime != "functions" || var.publisher_url != null
    error_message = "The functions runtime needs publisher_url. `doctl serverless functions get publisher/api --url` prints it."
  }
}

variable "region" {
  description = "Google Cloud region of the functions and their bundles."
  type        = string
  nullable    = false
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a Google Cloud region such as europe-west1."
  }
}

variable "secret_versions" {
  description = "Secret => version number (default 1). After a number is raised, the next apply sends the value in `secrets`."
  type        = map(number)
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.secret_versions), local.secret_names)) == 0
    error_message = "secret_versions names a secret that no channel type uses."
  }
}

variable "secrets" {
  description = "Secret => value. Only an apply that adds or rotates a secret needs them, and it needs all of them. They are in no plan and no state. Set TF_VAR_secrets."
  type        = map(string)
  nullable    = false
  default     = {}
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = length(var.secrets) == 0 || length(setsubtract(local.secret_names, keys(var.secrets))) == 0
    error_message = "secrets must hold a value for every secret of every channel type, or be empty."
  }
}
