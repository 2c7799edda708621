"""Google for the functions: Pub/Sub's push requests, and the ledger, inbox and channel switches in Firestore."""
