"""Fakes that behave, moved by physical verbs; for tests only."""
