"""What both clouds share: the topology, the wire format and the vocabulary. Imports nothing else of ours."""
