variable "billing_account" {
  description = "Billing account whose spending on the project is watched; without it there is no budget."
  type        = string
  nullable    = true
  default     = null

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account must look like 012345-6789AB-CDEF01."
  }
}

variable "channels" {
  description = "Every channel: kind => its subscription and its dead-letter subscription."
  type = map(object({
    dead_letter_subscription = string
    subscription             = string
  }))
  nullable = false

  validation {
    condition     = length(var.channels) > 0
    error_message = "There must be a channel to watch."
  }
}

variable "emails" {
  description = "Addresses that alerts go to."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.emails) > 0 && alltrue([for email in var.emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", email))])
    error_message = "emails must hold at least one address: an alert that nobody gets is none."
  }
}

variable "labels" {
  description = "Labels on everything that carries labels."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "monthly_budget" {
  description = "Spending a month to be warned about, in whole units of `currency`."
  type        = object({ currency = optional(string, "EUR"), units = optional(number, 100) })
  nullable    = false
  default     = {}

  validation {
    condition     = var.monthly_budget.units >= 1 && floor(var.monthly_budget.units) == var.monthly_budget.units
    error_message = "monthly_budget.units must be a whole number of at least 1."
  }
}

variable "oldest_unacked_seconds" {
  description = "How old the oldest waiting message of a channel may grow before somebody is told."
  type        = number
  nullable    = false
  default     = 600

  validation {
    condition     = var.oldest_unacked_seconds >= 60
    error_message = "oldest_unacked_seconds must be at least 60: monitoring samples no oftener."
  }
}

variable "outcomes_dead_subscription" {
  description = "Name of the subscription that keeps outcomes which could not come home."
  type        = string
  nullable    = false
}

variable "outcomes_subscription" {
  description = "Name of the subscription that takes outcomes to the publisher."
  type        = string
  nullable    = false
}

variable "project_id" {
  description = "Google Cloud project."
  type        = string
  nullable    = false
}

variable "project_number" {
  description = "Number of the project, by which the budget knows it."
  type        = string
  nullable    = false
}

variable "publisher_host" {
  description = "Host name of the publisher, for the uptime checks."
  type        = string
  nullable    = false
}

variable "publisher_path" {
  description = "What stands before `/health` in the publisher's paths; nothing, unless it runs as DigitalOcean Functions."
  type        = string
  nullable    = false
  default     = ""
}

variable "tolerated_error_ratio" {
  description = "Share of attempts, or of pushes, that may fail over a quarter of an hour."
  type        = object({ delivery = optional(number, 0.05), push = optional(number, 0.1) })
  nullable    = false
  default     = {}

  validation {
    condition = alltrue([
      for ratio in values(var.tolerated_error_ratio) : ratio > 0 && ratio < 1
    ])
    error_message = "A tolerated ratio lies between 0 and 1, such as 0.05 for five in a hundred."
  }
}
