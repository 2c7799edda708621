"""Stubs of the providers' HTTP APIs: the real SDKs run against them, and nothing leaves the machine.

The page at ``/`` shows what arrived as the recipient would see it, also in the inboxes of the running stack.
``/arrivals`` and ``/faults`` are for tests and scripts, and ``/test-recipients`` lists the recipients for which a
provider fails.
"""
