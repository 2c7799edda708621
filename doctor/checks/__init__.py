"""Facts in, findings out. Nothing here asks anybody, so every fault can be tried without having it."""
