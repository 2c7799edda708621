"""Deliveries: recording the outcomes that functions report."""
