locals {
  functions = concat(keys(local.channels), ["dead_letter"])

  # A bundle that `bundle_hashes` names is already in the bucket. Any other is read from `bundles_dir`, if the file exists.
  hashes = {
    for name in local.functions : name => try(
      var.bundle_hashes[name],
      filesha256("${path.root}/${var.bundles_dir}/${name}.zip"),
      null,
    )
  }
  uploads = {
    for name, hash in local.hashes : name => hash if hash != null && !contains(keys(var.bundle_hashes), name)
  }

  bundles = {
    for name, hash in local.hashes : name => {
      bucket = google_storage_bucket.bundles.name
      object = "functions/${name}/${hash == null ? "missing" : hash}.zip"
      sha256 = hash
    }
  }
}

resource "google_storage_bucket" "bundles" {
  project                     = var.project_id
  name                        = "${var.project_id}-heliograph-bundles"
  location                    = upper(var.region)
  labels                      = local.labels
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [time_sleep.services]
}

# An object's name contains the bundle's hash, so an unchanged function is not deployed again. Objects that are no longer used
# stay in the bucket (ABANDON), because a rollback needs them.
resource "google_storage_bucket_object" "bundle" {
  for_each = local.uploads

  bucket          = google_storage_bucket.bundles.name
  name            = local.bundles[each.key].object
  source          = "${path.root}/${var.bundles_dir}/${each.key}.zip"
  content_type    = "application/zip"
  deletion_policy = "ABANDON"
}
