variable "backup_days" {
  description = "Number of days to keep a daily backup."
  type        = number
  nullable    = false
  default     = 7

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 98
    error_message = "backup_days must be between 1 and 98: Firestore keeps a backup at most 14 weeks."
  }
}

variable "database" {
  description = "Name of the Firestore database. `(default)` is the default of the web and mobile SDKs."
  type        = string
  nullable    = false
  default     = "(default)"

  validation {
    condition     = var.database == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.database))
    error_message = "database must be (default), or 4 to 63 lower-case letters, digits and hyphens."
  }
}

variable "indexes" {
  description = "JSON in the form of `firestore.indexes.json`: composite indexes, and overrides of single fields (index off, time to live)."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.indexes).indexes) && can(jsondecode(var.indexes).fieldOverrides)
    error_message = "indexes must be JSON in the form of firestore.indexes.json, with `indexes` and `fieldOverrides`."
  }
}

variable "location" {
  description = "Firestore location: a region (`europe-west1`) or a multi-region (`eur3`). It cannot be changed later."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(eur3|nam5|nam7|[a-z]+-[a-z]+[0-9]+)$", var.location))
    error_message = "location must be a region such as europe-west1, or eur3, nam5 or nam7."
  }
}

variable "project_id" {
  description = "Google Cloud project."
  type        = string
  nullable    = false
}

variable "rules" {
  description = "Text of the security rules."
  type        = string
  nullable    = false

  validation {
    condition     = strcontains(var.rules, "service cloud.firestore")
    error_message = "rules must be the text of security rules, which declares `service cloud.firestore`."
  }
}
