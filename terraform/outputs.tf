output "alerts" {
  description = "Every alert => the heading in docs/operations.md that says what to do."
  value       = module.observability.alerts
}

output "bundles_bucket" {
  description = "Bucket that releases put bundles into."
  value       = google_storage_bucket.bundles.name
}

output "channels" {
  description = "Every channel: kind => its subscription, filter, dead letters, and its function's name, account and address."
  value       = module.channel
}

output "doctor_environment" {
  description = "What `make doctor` needs, as lines NAME=value; DATABASE_URL is added by hand, so that it is not here."
  value = join("\n", concat(
    [
      "ENVIRONMENT=${var.environment}",
      "GOOGLE_CLOUD_PROJECT=${var.project_id}",
      "PUBLISHER_URL=${local.publisher_url}",
      "PUSH_AUDIENCE=${local.push_audience}",
      "PUSH_SERVICE_ACCOUNT=${google_service_account.push.email}",
      "FUNCTION_URL_DEAD_LETTER=${module.dead_letter.uri}",
    ],
    [for kind, channel in module.channel : "FUNCTION_URL_${upper(kind)}=${channel.uri}"],
    [""],
  ))
}

output "publisher_database_pool_uri" {
  description = "DATABASE_URL of the functions runtime; null for the app."
  value       = module.publisher.database_pool_uri
  sensitive   = true
}

output "publisher_environment" {
  description = "The publisher's environment variables that are no secrets: what `python -m deploy.functions` needs."
  value       = local.publisher_environment
}

output "publisher_url" {
  description = "Address of the publisher, usable once it may publish and outcomes can come home."
  value       = local.publisher_url

  depends_on = [
    google_pubsub_subscription.outcomes,
    google_pubsub_topic_iam_member.publisher,
  ]
}

output "push_account" {
  description = "E-mail address of the account that pushes carry."
  value       = google_service_account.push.email
}

output "push_audience" {
  description = "Audience of pushes to the publisher (PUSH_AUDIENCE)."
  value       = local.push_audience
}

output "registry_endpoint" {
  description = "Where releases push the publisher's image to."
  value       = module.publisher.registry_endpoint
}

output "release" {
  description = "What runs now, in the form of a release's file: keep it, and a rollback is an apply with it."
  value = {
    bundle_hashes   = local.hashes
    publisher_image = var.publisher_image
  }
}
