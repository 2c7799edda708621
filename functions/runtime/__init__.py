"""What every function shares: receive a push, deliver once, record, report."""
