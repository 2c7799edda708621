locals {
  functions = concat(keys(local.channels), ["dead_letter"])

  # What a release names is in the bucket; the rest is taken from the folder, if it is there.
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

# Named by content, so a changed bundle is a new object and a function that has not changed is not deployed again. An
# object that is no longer asked for stays in the bucket: a rollback asks for it again.
resource "google_storage_bucket_object" "bundle" {
  for_each = local.uploads

  bucket          = google_storage_bucket.bundles.name
  name            = local.bundles[each.key].object
  source          = "${path.root}/${var.bundles_dir}/${each.key}.zip"
  content_type    = "application/zip"
  deletion_policy = "ABANDON"
}
