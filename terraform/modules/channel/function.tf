module "function" {
  source = "../function"

  build_account       = var.build_account
  bundle              = var.bundle
  databases           = var.databases
  description         = "Heliograph: ${var.channel.title}"
  entry_point         = var.channel.channel_type
  environment         = var.environment
  invoker             = "serviceAccount:${var.push_account}"
  labels              = local.labels
  name                = "heliograph-${var.channel.channel_type}"
  outcomes_topic      = var.outcomes_topic.id
  outcomes_topic_name = var.outcomes_topic.name
  project_id          = var.project_id
  region              = var.region
  roles               = var.roles
  secrets             = var.secrets

  limits = {
    concurrency     = var.channel.concurrency
    cpu             = var.channel.cpu
    max_instances   = var.max_instances
    memory          = var.channel.memory
    timeout_seconds = var.channel.timeout_seconds
  }
}
