"""Where the publisher runs: in a container, or as a DigitalOcean Function."""
