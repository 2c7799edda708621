variable "build_account" {
  description = "Service account that builds the container, as `projects/…/serviceAccounts/…`."
  type        = string
  nullable    = false
}

variable "bundle" {
  description = "Where the zip lies, and by which content (`sha256`, hexadecimal) its object is named. `sha256` is null when there is no bundle."
  type = object({
    bucket = string
    object = string
    sha256 = string
  })
  nullable = false
}

variable "database" {
  description = "Name of the Firestore database that holds the ledger, the switchboard and the inboxes."
  type        = string
  nullable    = false
  default     = "(default)"
}

variable "description" {
  description = "One sentence for people who meet the function in a console."
  type        = string
  nullable    = false
}

variable "entry_point" {
  description = "Python function in the bundle's `main.py`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]*$", var.entry_point))
    error_message = "entry_point must be a Python name, such as `email` or `dead_letter`."
  }
}

variable "environment" {
  description = "Environment variables beside those that every function gets. Never a secret."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "invoker" {
  description = "The one member that may call the function: `serviceAccount:…`."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.invoker, "serviceAccount:")
    error_message = "invoker must be one service account (`serviceAccount:…`): a function that anybody may call sends anybody's messages."
  }
}

variable "labels" {
  description = "Labels on everything that carries labels."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "limits" {
  description = "What one instance may use: seconds, requests at a time, Cloud Run quantities of memory and processor, and how many instances."
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
    error_message = "Cloud Run gives an instance more than one request at a time only with at least one whole cpu."
  }

  validation {
    condition     = can(regex("^[0-9]+(Mi|Gi)$", var.limits.memory))
    error_message = "limits.memory must be a quantity such as 512Mi or 1Gi."
  }
}

variable "name" {
  description = "Name of the function, of the Cloud Run service behind it, and of its service account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.name))
    error_message = "name must be 6 to 30 lower-case letters, digits and hyphens: a service account takes no other."
  }
}

variable "outcomes_topic" {
  description = "Id of the topic that takes outcomes: the only one the function may publish to."
  type        = string
  nullable    = false
}

variable "outcomes_topic_name" {
  description = "Name of that topic, as the function reads it from OUTCOMES_TOPIC."
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
  description = "Project roles that a provider needs and that no single resource can grant (Firebase messaging)."
  type        = set(string)
  nullable    = false
  default     = []

  validation {
    condition = alltrue([
      for role in var.roles :
      !can(regex("^roles/(owner|editor|viewer|secretmanager\\..*|iam\\..*|pubsub\\..*|datastore\\..*)$", role))
    ])
    error_message = "A function gets no project-wide basic, secret, IAM, Pub/Sub or Firestore role: what it needs of those is granted on the single resource."
  }
}

variable "secrets" {
  description = "Environment variables filled from Secret Manager: variable name => secret id (the short one)."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "The keys of secrets are environment variables: capitals, digits and underscores."
  }
}
