"""The publisher: takes notifications, commits them, publishes them, and keeps the account of what became of each."""
