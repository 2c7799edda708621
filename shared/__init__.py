"""What both clouds agree on: the topology, the wire format and the vocabulary. Imports nothing else of ours."""
