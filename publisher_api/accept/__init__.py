"""The path from a validated request to a committed notification and its published deliveries."""
