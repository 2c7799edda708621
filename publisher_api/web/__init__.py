"""The edge: everything that knows HTTP and is no feature's own."""
