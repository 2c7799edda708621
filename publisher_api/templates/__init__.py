"""Templates: the content of each channel, in Jinja2."""
