"""Fakes that behave, moved by physical verbs; for tests and the demo only."""
