# A ruleset cannot be changed, only replaced. The release points to the ruleset in force. Order of a change: create the new ruleset,
# change the release, delete the old ruleset. Nothing here asks for a replacement of the release, because Firestore denies every
# client while there is none. Whether a version of the provider can change it in place is the provider's choice.
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
}
