output "alerts" {
  description = "Every alert: its name => the heading in docs/operations.md that says what to do."
  value = merge(
    { for name, alert in local.thresholds : name => alert.runbook },
    { for name, alert in local.ratios : name => alert.runbook },
    { for name, alert in local.outages : name => alert.runbook },
  )
}

output "dashboard" {
  description = "Id of the dashboard."
  value       = google_monitoring_dashboard.this.id
}
