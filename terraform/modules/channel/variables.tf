variable "build_account" {
  description = "Service account that builds the function's container (`projects/…/serviceAccounts/…`)."
  type        = string
  nullable    = false
}

variable "bundle" {
  description = "Bucket and object of the function's zip, and its `sha256` (null: there is no bundle)."
  type = object({
    bucket = string
    object = string
    sha256 = string
  })
  nullable = false
}

variable "channel" {
  description = "An entry of `shared/channels.json`, with its key as `channel_type`."
  type = object({
    attempts             = number
    backoff_seconds      = tuple([number, number])
    channel_type         = string
    concurrency          = number
    cpu                  = string
    memory               = string
    secrets              = list(string)
    time_to_live_seconds = number
    timeout_seconds      = number
    title                = string
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{2,15}$", var.channel.channel_type))
    error_message = "channel_type must be 3 to 16 lower-case letters and digits, because filters, resource names and Python names contain it."
  }

  validation {
    condition     = var.channel.attempts >= 5 && var.channel.attempts <= 100
    error_message = "attempts must be between 5 and 100: Pub/Sub's limits for max_delivery_attempts."
  }

  validation {
    condition = (
      var.channel.backoff_seconds[0] >= 0 && var.channel.backoff_seconds[1] <= 600 &&
      var.channel.backoff_seconds[0] <= var.channel.backoff_seconds[1]
    )
    error_message = "backoff_seconds must be [minimum, maximum] with 0 <= minimum <= maximum <= 600."
  }

  validation {
    condition     = var.channel.timeout_seconds >= 10 && var.channel.timeout_seconds <= 540
    error_message = "timeout_seconds must be between 10 and 540: the acknowledgement deadline (at most 600) must be longer."
  }

  validation {
    condition     = var.channel.time_to_live_seconds >= 60 && var.channel.time_to_live_seconds <= 604800
    error_message = "time_to_live_seconds must be between 60 and 604800: the topic keeps messages for 7 days."
  }
}

variable "databases" {
  description = "Firestore databases that the function may use: name => role."
  type        = map(string)
  nullable    = false
}

variable "dead_letter" {
  description = "How dead letters are pushed to their function: `dead_letters` of `shared/subscriptions.json`, and `uri`, the push endpoint and the audience of the token."
  type = object({
    ack_deadline_seconds = number
    backoff_seconds      = tuple([number, number])
    uri                  = string
  })
  nullable = false
}

variable "environment" {
  description = "Environment variables of the function that are not secret (`EMAIL_FROM`, `TWILIO_FROM`)."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "labels" {
  description = "Labels of all resources that support labels. The module adds `channel`."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "max_instances" {
  description = "Maximum number of instances of the function."
  type        = number
  nullable    = false
  default     = 20

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 1000
    error_message = "max_instances must be between 1 and 1000."
  }
}

variable "outcomes_topic" {
  description = "Topic for outcomes."
  type        = object({ id = string, name = string })
  nullable    = false
}

variable "project_id" {
  description = "Google Cloud project."
  type        = string
  nullable    = false
}

variable "pubsub_agent" {
  description = "Pub/Sub's service agent (`serviceAccount:service-…`). It moves dead letters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^serviceAccount:service-.+@gcp-sa-pubsub\\.iam\\.gserviceaccount\\.com$", var.pubsub_agent))
    error_message = "pubsub_agent must be serviceAccount:service-PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com."
  }
}

variable "push_account" {
  description = "E-mail address of the service account whose identity token every push carries."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the function."
  type        = string
  nullable    = false
}

variable "roles" {
  description = "Project roles that the provider needs (Firebase messaging for push)."
  type        = set(string)
  nullable    = false
  default     = []
}

variable "secrets" {
  description = "Secrets of this channel type: environment variable => secret id."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(var.channel.secrets, keys(var.secrets))) == 0
    error_message = "secrets must have an entry for every name in channel.secrets."
  }
}

variable "topics" {
  description = "Topics for deliveries: lane => topic. Names are derived from that of the lane `normal`."
  type        = map(object({ id = string, name = string }))
  nullable    = false

  validation {
    condition     = contains(keys(var.topics), "normal")
    error_message = "topics must have the lane `normal`."
  }
}
