locals {
  channels = {
    for channel_type, channel in jsondecode(file("${path.root}/../shared/channels.json")) :
    channel_type => merge(channel, { channel_type = channel_type })
  }

  # Every function uses the ledger and the switches. Only `inapp` writes inboxes; the dead-letter function may look up whether an
  # entry arrived.
  databases_of_function = {
    for name in local.functions : name => merge(
      name == "dead_letter" ? { (module.inbox.database) = "roles/datastore.viewer" } : {},
      name == "inapp" ? { (module.inbox.database) = "roles/datastore.user" } : {},
      { (local.ledger_database) = "roles/datastore.user" },
    )
  }
  firestore_environment = { INBOX_DATABASE = module.inbox.database, LEDGER_DATABASE = local.ledger_database }

  # Of the subscriptions that no channel type declares: for outcomes, for their dead letters, and for those of each channel type.
  subscriptions = jsondecode(file("${path.root}/../shared/subscriptions.json"))
}

module "channel" {
  source   = "./modules/channel"
  for_each = local.channels

  build_account  = google_service_account.build.id
  bundle         = local.bundles[each.key]
  channel        = each.value
  databases      = local.databases_of_function[each.key]
  dead_letter    = merge(local.subscriptions.dead_letters, { uri = module.dead_letter.uri })
  environment    = merge(lookup(var.channel_environment, each.key, {}), local.firestore_environment)
  labels         = local.labels
  max_instances  = var.max_instances
  outcomes_topic = google_pubsub_topic.outcomes
  project_id     = var.project_id
  pubsub_agent   = local.pubsub_agent
  push_account   = google_service_account.push.email
  region         = var.region
  roles          = lookup(var.channel_roles, each.key, [])
  secrets        = { for name in local.secrets_of_channel[each.key] : name => google_secret_manager_secret.this[name].secret_id }
  topics         = google_pubsub_topic.notifications

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
  databases           = local.databases_of_function["dead_letter"]
  description         = "Heliograph: dead letters of every channel"
  entry_point         = "dead_letter"
  environment         = local.firestore_environment
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
