module "inbox" {
  source = "./modules/inbox"

  indexes    = file("${path.root}/../firestore.indexes.json")
  location   = var.firestore_location
  project_id = var.project_id
  rules      = file("${path.root}/../firestore.rules")

  depends_on = [time_sleep.services]
}
