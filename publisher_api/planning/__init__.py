"""Planning: from a request to the rows to store. Pure: no FastAPI, no database, no clock."""
