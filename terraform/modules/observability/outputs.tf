output "alerts" {
  description = "Alert => the anchor of its heading in docs/operations.md."
  value       = local.runbooks
}

output "dashboard" {
  description = "Id of the dashboard."
  value       = google_monitoring_dashboard.this.id
}
