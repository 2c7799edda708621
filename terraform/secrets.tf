locals {
  secrets_of_channel = {
    for channel_type, channel in local.channels :
    channel_type => setunion(channel.secrets, lookup(var.optional_secrets, channel_type, []))
  }
  secret_names = distinct(flatten([for names in values(local.secrets_of_channel) : tolist(names)]))
}

resource "google_secret_manager_secret" "this" {
  for_each = toset(local.secret_names)

  project   = var.project_id
  secret_id = "heliograph-${lower(replace(each.value, "_", "-"))}"
  labels    = local.labels

  replication {
    auto {}
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [time_sleep.services]
}

resource "google_secret_manager_secret_version" "this" {
  for_each = google_secret_manager_secret.this

  secret = each.value.id
  # Write-only: Terraform sends the value only when the version number changes. The provider still requires the argument and
  # takes null as missing, so an apply without values passes an empty string.
  secret_data_wo         = lookup(var.secrets, each.key, "")
  secret_data_wo_version = lookup(var.secret_versions, each.key, 1)
  deletion_policy        = "DISABLE"

  lifecycle {
    create_before_destroy = true
  }
}
