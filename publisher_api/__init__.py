"""The publisher: accepts notifications, commits them, publishes their deliveries, and records their outcomes.

Each folder is one noun or one step. The path of a POST: ``accept/routes.py`` → ``accept/service.py`` → ``planning/`` →
``accept/store.py`` → ``outbox/relay.py``.
"""
