"""API keys: who may call the API. A key is shown once and stored as a hash."""
