"""The twenty songs: what is played, by whom, and what it is meant to feel like."""

from __future__ import annotations

from composer.songs.calm import CALM
from composer.songs.energetic import ENERGETIC
from composer.songs.happy import HAPPY
from composer.songs.sad import SAD

__all__ = ["SONGS"]

SONGS = (*HAPPY, *SAD, *CALM, *ENERGETIC)
"""All songs in the order of the catalogue; the slugs are unique."""
