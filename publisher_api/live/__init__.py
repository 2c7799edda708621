"""The live inbox outside of the google profile: one stream of changes, over SSE and WebSocket."""
