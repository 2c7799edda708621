"""The audit log: who changed what. Written in the transaction of the change itself."""
