variable "build_account" {
  description = "Service account that builds the container (`projects/…/serviceAccounts/…`)."
  type        = string
  nullable    = false
}

variable "bundle" {
  description = "Bucket and object of the zip, and its `sha256` in hexadecimal (null: there is no bundle)."
  type = object({
    bucket = string
    object = string
    sha256 = string
  })
  nullable = false
}

variable "databases" {
  description = "Firestore databases that the function may use: name => `roles/datastore.user` (reads and writes) or `roles/datastore.viewer` (reads)."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for role in values(var.databases) : contains(["roles/datastore.user", "roles/datastore.viewer"], role)])
    error_message = "The roles of databases must be roles/datastore.user or roles/datastore.viewer."
  }
}

variable "description" {
  description = "Description of the function in Google's console."
  type        = string
  nullable    = false
}

variable "entry_point" {
  description = "Python function in the bundle's `main.py`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]*$", var.entry_point))
    error_message = "entry_point must be a Python name such as `email` or `dead_letter`."
  }
}

variable "environment" {
  description = "Environment variables in addition to those that every function gets. Do not put secrets here."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "invoker" {
  description = "The only member that may call the function (`serviceAccount:…`)."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.invoker, "serviceAccount:")
    error_message = "invoker must be a service account (`serviceAccount:…`). If everyone may call the function, everyone can send messages."
  }
}

variable "labels" {
  description = "Labels of the function."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "limits" {
  description = "Limits: timeout, concurrent requests, memory and CPU (Cloud Run quantities) of an instance, and the number of instances."
  type = object({
    concurrency     = optional(number, 16)
    cpu             = optional(string, "1")
    max_instances   = optional(number, 20)
    memory          = optional(string, "512Mi")
    timeout_seconds = optional(number, 60)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.limits.timeout_seconds >= 1 && var.limits.timeout_seconds <= 3600
    error_message = "limits.timeout_seconds must be between 1 and 3600."
  }

  validation {
    condition     = var.limits.concurrency >= 1 && var.limits.concurrency <= 1000
    error_message = "limits.concurrency must be between 1 and 1000."
  }

  validation {
    condition     = var.limits.concurrency == 1 || tonumber(var.limits.cpu) >= 1
    error_message = "limits.concurrency above 1 needs limits.cpu of at least 1: a Cloud Run rule."
  }

  validation {
    condition     = can(regex("^[0-9]+(Mi|Gi)$", var.limits.memory))
    error_message = "limits.memory must be a quantity such as 512Mi or 1Gi."
  }
}

variable "name" {
  description = "Name of the function, its Cloud Run service and its service account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.name))
    error_message = "name must be 6 to 30 lower-case letters, digits and hyphens: the rule for service accounts."
  }
}

variable "outcomes_topic" {
  description = "Id of the topic for outcomes, the only topic the function may publish to."
  type        = string
  nullable    = false
}

variable "outcomes_topic_name" {
  description = "Name of that topic. The function reads it from OUTCOMES_TOPIC."
  type        = string
  nullable    = false
}

variable "project_id" {
  description = "Google Cloud project."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the function."
  type        = string
  nullable    = false
}

variable "roles" {
  description = "Project roles that the provider needs and that cannot be granted on a single resource (Firebase messaging)."
  type        = set(string)
  nullable    = false
  default     = []

  validation {
    condition = alltrue([
      for role in var.roles :
      !can(regex("^roles/(owner|editor|viewer|secretmanager\\..*|iam\\..*|pubsub\\..*|datastore\\..*|firebase\\..*|firebaserules\\..*)$", role))
    ])
    error_message = "roles contains a basic, secret, IAM, Pub/Sub or Firestore role, or one of Firebase that contains Firestore. Grant those on the single resource, not on the project."
  }
}

variable "secrets" {
  description = "Environment variables from Secret Manager: variable => short id of the secret."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "The keys of secrets must be environment variables: capitals, digits and underscores."
  }
}
