"""How Postgres is reached: the address from the environment, and the pool of connections."""
