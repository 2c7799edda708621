"""What an operator and Cloud Build run: releases, the smoke test, rollback, keys, and Terraform's tables."""
