"""The inbox as the API sees it: unread counts, and marking notifications as read."""
