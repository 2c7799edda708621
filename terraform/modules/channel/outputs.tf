output "account" {
  description = "E-mail address of the function's service account."
  value       = module.function.account
}

output "dead_letter_subscription" {
  description = "Name of the subscription that pushes dead letters to their function and keeps them for 31 days."
  value       = google_pubsub_subscription.dead.name
}

output "dead_letter_topic" {
  description = "Name of the dead-letter topic. Known once Pub/Sub may publish to it."
  value       = google_pubsub_topic.dead.name

  depends_on = [google_pubsub_topic_iam_member.dead_publisher]
}

output "filter" {
  description = "Filter of the subscriptions."
  value       = local.filter
}

output "function" {
  description = "Name of the function."
  value       = module.function.name
}

output "subscriptions" {
  description = "Lane => name of its subscription. Known once Pub/Sub may move its dead letters."
  value       = { for lane, subscription in google_pubsub_subscription.deliveries : lane => subscription.name }

  depends_on = [
    google_pubsub_subscription_iam_member.dead_subscriber,
    google_pubsub_topic_iam_member.dead_publisher,
  ]
}

output "uri" {
  description = "URL of the function."
  value       = module.function.uri
}
