mock_provider "google" {}

# Every run only plans: `prevent_destroy` would stop a test from destroying what it applied.
variables {
  location   = "eur3"
  project_id = "heliograph-test"

  indexes = <<-JSON
    {
      "indexes": [
        {
          "collectionGroup": "inbox",
          "queryScope": "COLLECTION",
          "fields": [
            { "fieldPath": "read_at", "order": "ASCENDING" },
            { "fieldPath": "created_at", "order": "DESCENDING" }
          ]
        }
      ],
      "fieldOverrides": [
        { "collectionGroup": "inbox", "fieldPath": "expire_at", "ttl": true, "indexes": [] },
        { "collectionGroup": "inbox", "fieldPath": "data", "indexes": [] }
      ]
    }
  JSON

  rules = "rules_version = '2'; service cloud.firestore { match /databases/{database}/documents {} }"
}

run "the_database_is_protected_from_deletion" {
  command = plan

  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED"
    error_message = "Delete protection must be on."
  }

  assert {
    condition     = google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "Point-in-time recovery must be on."
  }
}

run "the_database_is_backed_up_daily" {
  command = plan

  assert {
    condition     = google_firestore_backup_schedule.daily.retention == "604800s" && length(google_firestore_backup_schedule.daily.daily_recurrence) == 1
    error_message = "There must be a daily backup that is kept for 7 days."
  }
}

run "the_rules_of_the_file_are_released" {
  command = plan

  assert {
    condition     = google_firebaserules_ruleset.this.source[0].files[0].content == var.rules
    error_message = "The ruleset must contain the file's text."
  }

  assert {
    condition     = google_firebaserules_release.this.name == "cloud.firestore"
    error_message = "The default database's rules are released under cloud.firestore."
  }
}

run "a_named_database_has_its_own_release" {
  command = plan

  variables {
    database = "heliograph"
  }

  assert {
    condition     = google_firebaserules_release.this.name == "cloud.firestore/heliograph"
    error_message = "A named database's rules are released under its name."
  }
}

run "indexes_come_from_the_file" {
  command = plan

  assert {
    condition     = join(" ", output.indexes) == "inbox/COLLECTION/read_at:ASCENDING/created_at:DESCENDING"
    error_message = "There must be one index for each index of the file."
  }
}

run "only_fields_with_ttl_have_a_time_to_live" {
  command = plan

  assert {
    condition = (
      length(google_firestore_field.this["inbox/expire_at"].ttl_config) == 1 &&
      length(google_firestore_field.this["inbox/data"].ttl_config) == 0
    )
    error_message = "Only fields with `ttl` must have a time to live."
  }
}

run "an_unknown_location_is_refused" {
  command = plan

  variables {
    location = "Europe"
  }

  expect_failures = [var.location]
}

run "indexes_without_the_expected_keys_are_refused" {
  command = plan

  variables {
    indexes = "{}"
  }

  expect_failures = [var.indexes]
}

run "rules_without_a_firestore_service_are_refused" {
  command = plan

  variables {
    rules = ""
  }

  expect_failures = [var.rules]
}
