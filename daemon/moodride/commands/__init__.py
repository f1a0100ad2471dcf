"""The commands behind `moodride.cli`, one module each; they put the real parts together."""
