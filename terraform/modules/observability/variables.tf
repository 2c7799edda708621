variable "billing_account" {
  description = "Billing account for the budget on this project. Null: no budget."
  type        = string
  nullable    = true
  default     = null

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account must look like 012345-6789AB-CDEF01."
  }
}

variable "channels" {
  description = "Channel type => its subscriptions, by lane, and its dead-letter subscription."
  type = map(object({
    dead_letter_subscription = string
    subscriptions            = map(string)
  }))
  nullable = false

  validation {
    condition     = length(var.channels) > 0
    error_message = "channels must have at least one entry."
  }
}

variable "emails" {
  description = "E-mail addresses that receive alerts."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.emails) > 0 && alltrue([for email in var.emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", email))])
    error_message = "emails must hold at least one e-mail address, because alerts need a recipient."
  }
}

variable "labels" {
  description = "Labels of all resources that support labels."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "monthly_budget" {
  description = "Monthly budget in whole units of `currency`."
  type        = object({ currency = optional(string, "EUR"), units = optional(number, 100) })
  nullable    = false
  default     = {}

  validation {
    condition     = var.monthly_budget.units >= 1 && floor(var.monthly_budget.units) == var.monthly_budget.units
    error_message = "monthly_budget.units must be a whole number of at least 1."
  }
}

variable "oldest_unacked_seconds" {
  description = "Age of the oldest unacknowledged message, in seconds, above which an alert is raised."
  type        = number
  nullable    = false
  default     = 600

  validation {
    condition     = var.oldest_unacked_seconds >= 60
    error_message = "oldest_unacked_seconds must be at least 60, the sampling interval of Cloud Monitoring."
  }
}

variable "outcomes_dead_subscription" {
  description = "Name of the subscription that keeps outcomes the publisher did not accept."
  type        = string
  nullable    = false
}

variable "outcomes_subscription" {
  description = "Name of the subscription that pushes outcomes to the publisher."
  type        = string
  nullable    = false
}

variable "project_id" {
  description = "Google Cloud project."
  type        = string
  nullable    = false
}

variable "project_number" {
  description = "Number of the project. Budgets identify projects by number."
  type        = string
  nullable    = false
}

variable "publisher_host" {
  description = "Host name of the publisher for the uptime checks."
  type        = string
  nullable    = false
}

variable "publisher_path" {
  description = "Path prefix before `/health`. Empty with App Platform; DigitalOcean Functions have one."
  type        = string
  nullable    = false
  default     = ""
}

variable "tolerated_error_ratio" {
  description = "Share of attempts (`delivery`) and of pushes (`push`) that may fail within 15 minutes without an alert."
  type        = object({ delivery = optional(number, 0.05), push = optional(number, 0.1) })
  nullable    = false
  default     = {}

  validation {
    condition = alltrue([
      for ratio in values(var.tolerated_error_ratio) : ratio > 0 && ratio < 1
    ])
    error_message = "Each tolerated_error_ratio must be between 0 and 1, such as 0.05 for 5 percent."
  }
}
