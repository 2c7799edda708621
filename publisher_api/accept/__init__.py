"""Accepting: from a request body to committed rows. The path: routes → parsing → service → store."""
