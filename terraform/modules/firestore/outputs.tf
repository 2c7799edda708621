output "database" {
  description = "Name of the database. Known once its rules are in force."
  value       = google_firestore_database.this.name

  depends_on = [google_firebaserules_release.this]
}

output "indexes" {
  description = "Keys of the composite indexes."
  value       = keys(google_firestore_index.this)
}

output "ttl_fields" {
  description = "Time-to-live fields, by which Firestore deletes documents, as collection/field."
  value       = [for key, field in local.overrides : key if try(field.ttl, false)]
}
