locals {
  declared = jsondecode(var.indexes)

  indexes = {
    for index in local.declared.indexes :
    join("/", concat(
      [index.collectionGroup, index.queryScope],
      [for field in index.fields : "${field.fieldPath}:${try(field.order, field.arrayConfig)}"],
    )) => index
  }

  overrides = { for field in local.declared.fieldOverrides : "${field.collectionGroup}/${field.fieldPath}" => field }
}

resource "google_firestore_index" "this" {
  for_each = local.indexes

  project     = var.project_id
  database    = google_firestore_database.this.name
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope

  dynamic "fields" {
    for_each = each.value.fields
    iterator = field

    content {
      field_path   = field.value.fieldPath
      order        = try(field.value.order, null)
      array_config = try(field.value.arrayConfig, null)
    }
  }
}

resource "google_firestore_field" "this" {
  for_each = local.overrides

  project    = var.project_id
  database   = google_firestore_database.this.name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [true] : []

    content {}
  }

  # An empty list turns off all single-field indexes. An index on a time-to-live field would be a hot range.
  dynamic "index_config" {
    for_each = can(each.value.indexes) ? [each.value.indexes] : []

    content {
      dynamic "indexes" {
        for_each = index_config.value
        iterator = index

        content {
          array_config = try(index.value.arrayConfig, null)
          order        = try(index.value.order, null)
          query_scope  = try(index.value.queryScope, null)
        }
      }
    }
  }
}
