locals {
  # A deployment from before the ledger had a database of its own keeps it with the inboxes until an operator has moved it
  # (docs/operations.md, "Move the ledger").
  ledger_apart = var.ledger_database == "ledger"

  firestore_declared = {
    inbox  = jsondecode(file("${path.root}/../firestore.indexes.json"))
    ledger = jsondecode(file("${path.root}/../firestore.ledger.indexes.json"))
  }
  in_inbox_database = local.ledger_apart ? ["inbox"] : ["inbox", "ledger"]

  ledger_database = local.ledger_apart ? module.ledger.database : module.inbox.database
}

# The inboxes: the database that web and mobile clients read.
module "inbox" {
  source = "./modules/firestore"

  location   = var.firestore_location
  project_id = var.project_id
  rules      = file("${path.root}/../firestore.rules")

  indexes = jsonencode({
    indexes        = flatten([for name in local.in_inbox_database : local.firestore_declared[name].indexes])
    fieldOverrides = flatten([for name in local.in_inbox_database : local.firestore_declared[name].fieldOverrides])
  })

  depends_on = [time_sleep.services]
}

# The ledger and the channel switches, which every function needs. Apart from the inboxes, because IAM separates databases
# but not collections. The database exists also while no function uses it, so that an operator can move the ledger in both
# directions: `ledger_database` says only which database the functions use.
module "ledger" {
  source = "./modules/firestore"

  database   = "ledger"
  indexes    = jsonencode(local.firestore_declared.ledger)
  location   = var.firestore_location
  project_id = var.project_id
  rules      = file("${path.root}/../firestore.ledger.rules")

  depends_on = [time_sleep.services]
}
