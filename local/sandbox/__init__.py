"""Stand-ins for the providers, which speak their HTTP so that the real SDKs run and nothing leaves the machine.

A page at ``/`` shows what arrived as a person would see it; ``/arrivals`` and ``/faults`` are for tests and scripts.
"""
