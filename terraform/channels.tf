locals {
  channels = {
    for channel_type, channel in jsondecode(file("${path.root}/../shared/channels.json")) :
    channel_type => merge(channel, { channel_type = channel_type })
  }

  # Of the subscriptions that no channel type declares: for outcomes, for their dead letters, and for those of each channel type.
  subscriptions = jsondecode(file("${path.root}/../shared/subscriptions.json"))
}

module "channel" {
  source   = "./modules/channel"
  for_each = local.channels

  build_account  = google_service_account.build.id
  bundle         = local.bundles[each.key]
  channel        = each.value
  database       = module.inbox.database
  dead_letter    = merge(local.subscriptions.dead_letters, { uri = module.dead_letter.uri })
  environment    = lookup(var.channel_environment, each.key, {})
  labels         = local.labels
  max_instances  = var.max_instances
  outcomes_topic = google_pubsub_topic.outcomes
  project_id     = var.project_id
  pubsub_agent   = local.pubsub_agent
  push_account   = google_service_account.push.email
  region         = var.region
  roles          = lookup(var.channel_roles, each.key, [])
  secrets        = { for name in local.secrets_of_channel[each.key] : name => google_secret_manager_secret.this[name].secret_id }
  topic          = google_pubsub_topic.notifications

  depends_on = [
    google_secret_manager_secret_version.this,
    google_storage_bucket_object.bundle,
    time_sleep.build,
  ]
}

# Reports each dead letter of every channel to the publisher, where it becomes a row that an operator can inspect and replay.
module "dead_letter" {
  source = "./modules/function"

  build_account       = google_service_account.build.id
  bundle              = local.bundles["dead_letter"]
  database            = module.inbox.database
  description         = "Heliograph: dead letters of every channel"
  entry_point         = "dead_letter"
  invoker             = "serviceAccount:${google_service_account.push.email}"
  labels              = local.labels
  name                = "heliograph-dead-letter"
  outcomes_topic      = google_pubsub_topic.outcomes.id
  outcomes_topic_name = google_pubsub_topic.outcomes.name
  project_id          = var.project_id
  region              = var.region

  depends_on = [
    google_storage_bucket_object.bundle,
    time_sleep.build,
  ]
}
