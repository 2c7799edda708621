"""The checks: functions from facts to findings. They do no I/O, so each fault can be tested as a value."""
