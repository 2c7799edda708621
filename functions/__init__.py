"""The workers: one function for each channel type and one for dead letters, over a shared runtime."""
