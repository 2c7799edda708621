"""Event types: what happened, and what follows from it where a request says nothing."""
