"""Readings to a mood: smoothing, policy, decision. Pure; time is an argument."""
