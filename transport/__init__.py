"""How messages travel between the publisher and the functions: the port, and one module for each transport."""
