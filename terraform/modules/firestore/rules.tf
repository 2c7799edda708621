# A ruleset cannot be changed, only replaced. The release points to the ruleset in force.
resource "google_firebaserules_ruleset" "this" {
  project = var.project_id

  source {
    files {
      name    = "firestore.rules"
      content = var.rules
    }
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_firestore_database.this]
}

resource "google_firebaserules_release" "this" {
  project      = var.project_id
  name         = var.database == "(default)" ? "cloud.firestore" : "cloud.firestore/${var.database}"
  ruleset_name = "projects/${var.project_id}/rulesets/${google_firebaserules_ruleset.this.name}"

  lifecycle {
    replace_triggered_by = [google_firebaserules_ruleset.this]
  }
}
