"""Users: whom we send to, and where each can be reached."""
