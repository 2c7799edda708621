"""Erasures: everything that is stored of a user is deleted, by a job that says when it is complete."""
