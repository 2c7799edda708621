"""What the functions and the publisher both know of the live inbox."""

from datetime import timedelta

KEPT_FOR = timedelta(days=90)
"""How long an entry is kept after it was delivered."""
