"""The one thread that owns the state: a pure step, and the loop around it."""
