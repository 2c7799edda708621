output "alerts" {
  description = "Alert => the anchor of its heading in docs/operations.md."
  value       = module.observability.alerts
}

output "bundles_bucket" {
  description = "Bucket that releases upload bundles to."
  value       = google_storage_bucket.bundles.name
}

output "channels" {
  description = "Channel type => its subscriptions, filter, dead-letter topic and subscription, and its function's name, account and URL."
  value       = module.channel
}

output "doctor_environment" {
  description = "Settings of `make doctor` as lines NAME=value, without DATABASE_URL: the operator adds it, so that the password is in no output."
  value = join("\n", concat(
    [
      "DATABASE_CA_CERT=${local.database_ca_cert}",
      "ENVIRONMENT=${var.environment}",
      "GOOGLE_CLOUD_PROJECT=${var.project_id}",
      "PUBLISHER_URL=${local.publisher_url}",
      "PUSH_AUDIENCE=${local.push_audience}",
      "PUSH_SERVICE_ACCOUNT=${google_service_account.push.email}",
      "FUNCTION_URL_DEAD_LETTER=${module.dead_letter.uri}",
    ],
    [for channel_type, channel in module.channel : "FUNCTION_URL_${upper(channel_type)}=${channel.uri}"],
    [""],
  ))
}

output "publisher_database_ca_cert" {
  description = "DATABASE_CA_CERT: the CA that signs Postgres's certificate, in PEM."
  value       = module.publisher.database_ca_cert
}

output "publisher_database_pool_uri" {
  description = "DATABASE_URL for the functions runtime; null with App Platform."
  value       = module.publisher.database_pool_uri
  sensitive   = true
}

output "publisher_environment" {
  description = "Environment variables of the publisher that are not secret. DigitalOcean Functions need them at deployment."
  value       = merge(local.publisher_environment, { DATABASE_CA_CERT = local.database_ca_cert })
}

output "publisher_url" {
  description = "URL of the publisher. Known once it may publish and the subscription for outcomes exists."
  value       = local.publisher_url

  depends_on = [
    google_pubsub_subscription.outcomes,
    google_pubsub_topic_iam_member.publisher,
  ]
}

output "push_account" {
  description = "E-mail address of the service account in the tokens of all pushes."
  value       = google_service_account.push.email
}

output "push_audience" {
  description = "Audience of the tokens in pushes to the publisher (PUSH_AUDIENCE)."
  value       = local.push_audience
}

output "registry_endpoint" {
  description = "Registry that releases push the publisher's image to."
  value       = module.publisher.registry_endpoint
}

output "release" {
  description = "The deployed release, in the form of release.tfvars.json. An apply with such a file deploys that release again."
  value = {
    bundle_hashes   = local.hashes
    publisher_image = var.publisher_image
  }
}
