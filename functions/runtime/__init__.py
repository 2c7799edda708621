"""What every function shares: decode a message, deliver it once, record and report the outcome. Knows no cloud."""
