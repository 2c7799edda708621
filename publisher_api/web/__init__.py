"""The web layer: the HTTP code that belongs to no single feature."""
