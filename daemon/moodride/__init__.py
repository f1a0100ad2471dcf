"""Moodride: a screenless music service for a car that follows the driver's mood.

Two processes share one datagram socket. The vision process turns camera frames
into readings; the music process turns readings into a mood and keeps libmpv's
queue filled with tracks that fit. See ``docs/architecture.md``.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
