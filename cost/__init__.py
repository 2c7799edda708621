"""What a month costs: the operations of one delivery, counted on the local stack, times a table of prices."""
