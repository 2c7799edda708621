locals {
  publisher_url  = var.publisher_url != null ? var.publisher_url : module.publisher.url
  publisher_host = split("/", trimprefix(local.publisher_url, "https://"))[0]
  publisher_path = trimprefix(local.publisher_url, "https://${local.publisher_host}")
  push_audience  = "heliograph-publisher-${var.environment}"

  identity_environment = local.keyless ? {
    GOOGLE_IDENTITY_ISSUER   = local.issuer
    GOOGLE_IDENTITY_PROVIDER = "//iam.googleapis.com/${google_iam_workload_identity_pool_provider.publisher[0].name}"
    GOOGLE_IDENTITY_SUBJECT  = local.subject
  } : {}
  # In one line, as a file of variables needs it.
  database_ca_cert = replace(trimspace(module.publisher.database_ca_cert), "\n", "\\n")

  secrets_of_publisher = { for name, value in {
    GOOGLE_IDENTITY_KEY = local.keyless ? var.publisher_private_key : null
    INBOX_TOKEN_SECRET  = var.publisher_inbox_token_secret
    PRODUCER_JWT_SECRET = var.publisher_producer_token_secret
  } : name => value if nonsensitive(value != null) }

  # All names, because doctl refuses a file of functions that names an unknown variable. The publisher ignores an empty one.
  callers_environment = {
    FIREBASE_PROJECT      = var.publisher_inbox.firebase_project
    INBOX_JWKS_URL        = var.publisher_inbox.jwks_url
    INBOX_OIDC_AUDIENCE   = var.publisher_inbox.oidc_audience
    INBOX_OIDC_ISSUER     = var.publisher_inbox.oidc_issuer
    INBOX_ORIGINS         = join(",", sort(var.publisher_inbox.origins))
    PRODUCER_JWT_AUDIENCE = var.publisher_producers.jwt_audience
    PRODUCER_JWT_ISSUER   = var.publisher_producers.jwt_issuer
    PRODUCER_JWT_JWKS_URL = var.publisher_producers.jwt_jwks_url
  }

  publisher_environment = merge(local.identity_environment, local.callers_environment, {
    GOOGLE_CLOUD_PROJECT = var.project_id
    NOTIFICATIONS_TOPIC  = google_pubsub_topic.notifications["normal"].name
    PUSH_AUDIENCE        = local.push_audience
    PUSH_SERVICE_ACCOUNT = google_service_account.push.email
  })
}

module "publisher" {
  source = "./modules/publisher"

  database                  = var.publisher_database
  database_open_to_internet = var.publisher_database_open_to_internet
  environment               = { for name, value in local.publisher_environment : name => value if value != "" || !contains(keys(local.callers_environment), name) }
  git                       = var.publisher_git
  image                     = var.publisher_image
  instances                 = var.publisher_instances
  name                      = "heliograph-${var.environment}"
  region                    = var.publisher_region
  registry                  = var.publisher_registry
  runtime                   = var.publisher_runtime
  secrets                   = local.keyless ? {} : { GOOGLE_SERVICE_ACCOUNT_KEY = base64decode(google_service_account_key.publisher[0].private_key) }
  secrets_set_once          = local.secrets_of_publisher
  tags                      = [for name, value in local.labels : "${name}:${value}"]

  # The publisher publishes its first notification at once, so the grants must exist before it starts. The subscriptions of each
  # channel type must exist too: Pub/Sub drops a message that no subscription matches.
  depends_on = [
    google_pubsub_topic_iam_member.publisher,
    module.channel,
  ]
}
