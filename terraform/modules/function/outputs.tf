output "account" {
  description = "E-mail address of the function's service account."
  value       = google_service_account.this.email
}

output "name" {
  description = "Name of the function and of the Cloud Run service behind it."
  value       = google_cloudfunctions2_function.this.name
}

output "uri" {
  description = "URL of the function, and the audience of its callers' tokens. Known once the invoker may call it."
  value       = google_cloudfunctions2_function.this.service_config[0].uri

  depends_on = [google_cloud_run_service_iam_member.invoker]
}
