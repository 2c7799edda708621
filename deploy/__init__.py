"""Commands for operators and Cloud Build: bundles, releases, smoke test, identity keys, Terraform's tables."""
