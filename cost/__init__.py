"""What a month costs: operations counted in a run of the local stack, times a table of prices."""
