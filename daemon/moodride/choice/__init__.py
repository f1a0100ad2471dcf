"""Which tracks come next, and why. Pure."""
