variable "build_account" {
  description = "Service account that builds the function's container, as `projects/…/serviceAccounts/…`."
  type        = string
  nullable    = false
}

variable "bundle" {
  description = "Where the channel's zip lies, and by which content (`sha256`) its object is named."
  type = object({
    bucket = string
    object = string
    sha256 = string
  })
  nullable = false
}

variable "channel" {
  description = "One entry of `shared/channels.json` with its key as `kind`."
  type = object({
    attempts             = number
    backoff_seconds      = tuple([number, number])
    concurrency          = number
    cpu                  = string
    kind                 = string
    memory               = string
    secrets              = list(string)
    time_to_live_seconds = number
    timeout_seconds      = number
    title                = string
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{2,15}$", var.channel.kind))
    error_message = "A channel's kind is 3 to 16 lower-case letters and digits: it is part of a filter, of names and of a Python name."
  }

  validation {
    condition     = var.channel.attempts >= 5 && var.channel.attempts <= 100
    error_message = "attempts must be between 5 and 100: Pub/Sub takes no other number before dead-lettering."
  }

  validation {
    condition = (
      var.channel.backoff_seconds[0] >= 0 && var.channel.backoff_seconds[1] <= 600 &&
      var.channel.backoff_seconds[0] <= var.channel.backoff_seconds[1]
    )
    error_message = "backoff_seconds must be [shortest, longest] with 0 <= shortest <= longest <= 600."
  }

  validation {
    condition     = var.channel.timeout_seconds >= 10 && var.channel.timeout_seconds <= 540
    error_message = "timeout_seconds must be between 10 and 540, so that the acknowledgement deadline (at most 600) can outlast it."
  }

  validation {
    condition     = var.channel.time_to_live_seconds >= 60 && var.channel.time_to_live_seconds <= 604800
    error_message = "time_to_live_seconds must be between 60 and 604800: the topic keeps a message for 7 days."
  }
}

variable "database" {
  description = "Name of the Firestore database."
  type        = string
  nullable    = false
  default     = "(default)"
}

variable "dead_letter" {
  description = "Address of the function that takes dead letters: `uri` is both where to push and the token's audience."
  type        = object({ uri = string })
  nullable    = false
}

variable "environment" {
  description = "Environment variables of the channel's function (`EMAIL_FROM`, `TWILIO_FROM`)."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "labels" {
  description = "Labels on everything that carries labels; `channel` is added."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "max_instances" {
  description = "How many instances of the function may run."
  type        = number
  nullable    = false
  default     = 20

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 1000
    error_message = "max_instances must be between 1 and 1000."
  }
}

variable "outcomes_topic" {
  description = "The topic that takes outcomes."
  type        = object({ id = string, name = string })
  nullable    = false
}

variable "project_id" {
  description = "Google Cloud project."
  type        = string
  nullable    = false
}

variable "pubsub_agent" {
  description = "Pub/Sub's own service agent (`serviceAccount:service-…`), which moves dead letters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^serviceAccount:service-.+@gcp-sa-pubsub\\.iam\\.gserviceaccount\\.com$", var.pubsub_agent))
    error_message = "pubsub_agent must be serviceAccount:service-PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com."
  }
}

variable "push_account" {
  description = "E-mail address of the account whose identity token every push carries."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the function."
  type        = string
  nullable    = false
}

variable "roles" {
  description = "Project roles that the channel's provider needs (Firebase messaging for push)."
  type        = set(string)
  nullable    = false
  default     = []
}

variable "secrets" {
  description = "Secrets of this channel and of no other: environment variable => secret id."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(var.channel.secrets, keys(var.secrets))) == 0
    error_message = "Every name in the channel's `secrets` needs a secret in Secret Manager."
  }
}

variable "topic" {
  description = "The topic that carries deliveries."
  type        = object({ id = string, name = string })
  nullable    = false
}
