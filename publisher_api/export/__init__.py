"""Export: everything that is stored of a user, as one JSON document."""
